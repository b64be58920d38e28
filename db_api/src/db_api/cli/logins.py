"""`db-api logins`: which roles the keys of a schema run as."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import click

from db_api.api_keys import KeyType
from db_api.cli.environment import login_settings
from db_api.cli.exits import reported
from db_api.cli.schema_names import schema_option
from db_api.clock import utc_now
from db_api.control.audit import Actor
from db_api.control.database import open_control
from db_api.control.logins import LoginStore, StoredLogin
from db_api.identifiers import InvalidNameError, quote
from db_api.logins import LoginVault
from db_api.schemas import SchemaStore

T = TypeVar("T")
_EXAMPLES = """\b
Examples:
  db-api logins set --schema shop --type service_role --role shop_app < password
  db-api logins list --json
  db-api logins remove --schema shop --type service_role"""
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_type = click.option(
    "--type",
    "key_type",
    required=True,
    type=click.Choice([key_type.value for key_type in KeyType]),
    help="Of the keys that run as this role.",
)


@dataclass(frozen=True, slots=True)
class _Place:
    """What the commands work on."""

    logins: LoginStore
    schemas: SchemaStore
    vault: LoginVault


@click.group(epilog=_EXAMPLES)
def logins() -> None:
    """Say which login roles the keys of schemas run as.

    `db-api provision` makes such roles; these commands take roles that a DBA has made.
    """


@logins.command("set", epilog=_EXAMPLES)
@schema_option
@_type
@click.option("--role", required=True, help="An existing login role.")
@_json
def set_(*, schema: str, key_type: str, role: str, as_json: bool) -> None:
    """Have a schema's keys run as an existing role.

    Its password is read from standard input; an empty line means that PostgreSQL asks for none.
    The role keeps the rights and settings that it has.
    """
    try:
        quote(role)
    except InvalidNameError as error:
        raise click.BadParameter(str(error), param_hint="--role") from None
    kind, password = KeyType(key_type), _read_password()

    async def run(place: _Place) -> StoredLogin:
        await place.schemas.require(schema)
        sealed = place.vault.seal(schema, kind, role, password) if password else None
        now = utc_now()
        login = StoredLogin(
            schema, kind, role, sealed_password=sealed, is_provisioned=False, created_at=now
        )
        await place.logins.put([login], Actor("cli", "", now))
        return login

    login = _in_database(run)
    text = f"{kind.value} keys of schema {schema} run as {role} within 5 seconds."
    click.echo(json.dumps(_shown(login)) if as_json else text)


@logins.command("list", epilog=_EXAMPLES)
@_json
def list_(*, as_json: bool) -> None:
    """List the logins of all schemas; their passwords are not shown."""
    found = _in_database(lambda place: place.logins.list())
    if as_json:
        click.echo(json.dumps([_shown(login) for login in found]))
        return
    for login in found:
        origin = "provisioned" if login.is_provisioned else "set"
        click.echo(f"{login.schema}  {login.kind.value:<12}  {origin:<11}  {login.role}")


@logins.command(epilog=_EXAMPLES)
@schema_option
@_type
@_json
def remove(*, schema: str, key_type: str, as_json: bool) -> None:
    """Have a schema's keys run as DATABASE_URL's login again; the role itself stays."""
    kind = KeyType(key_type)
    actor = Actor("cli", "", utc_now())
    was_there = _in_database(lambda place: place.logins.remove(schema, kind, actor))
    done = "removed" if was_there else "not there"
    click.echo(json.dumps({"removed": was_there}) if as_json else f"The login is {done}.")


def _read_password() -> str:
    if sys.stdin.isatty():
        entered: str = click.prompt("Password", hide_input=True, err=True, default="")
        return entered
    return sys.stdin.readline().rstrip("\r\n")


def _in_database(run: Callable[[_Place], Awaitable[T]]) -> T:
    async def in_loop() -> T:
        settings = login_settings()
        url = settings.database_url.get_secret_value()
        engine = open_control(url)
        vault = LoginVault(url, settings.root_keys)
        try:
            return await run(_Place(LoginStore(engine), SchemaStore(engine), vault))
        finally:
            await engine.dispose()

    with reported():
        return asyncio.run(in_loop())


def _shown(login: StoredLogin) -> dict[str, str | bool]:
    return {
        "schemaName": login.schema,
        "keyType": login.kind.value,
        "role": login.role,
        "isProvisioned": login.is_provisioned,
        "createdAt": login.created_at.isoformat(),
    }
