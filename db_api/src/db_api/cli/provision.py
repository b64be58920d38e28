"""`db-api provision`, `deprovision` and `grants`: the login roles of a schema's keys."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import click

from db_api.cli.environment import login_settings, provision_settings
from db_api.cli.exits import reported
from db_api.cli.schema_names import schema_argument
from db_api.clock import utc_now
from db_api.control.audit import Actor
from db_api.control.database import open_control
from db_api.logins import LoginVault
from db_api.provisioner import Provisioner
from db_api.role_facts import Wish
from db_api.settings import LoginSettings

T = TypeVar("T")
_EXAMPLES = """\b
Examples:
  db-api provision shop
  db-api provision shop --repair --revoke-public --json
  db-api deprovision shop
  db-api grants print shop
\b
PROVISION_DATABASE_URL is the same database as DATABASE_URL, under a login that may create roles
and owns the schema or is a member of its owner."""
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_revoke_public = click.option(
    "--revoke-public",
    is_flag=True,
    help="Take from everybody the right to execute the functions of the schema's owners.",
)


@click.command(epilog=_EXAMPLES)
@schema_argument
@click.option("--repair", is_flag=True, help="Make passwords, grants and settings anew.")
@_revoke_public
@_json
def provision(*, schema: str, repair: bool, revoke_public: bool, as_json: bool) -> None:
    """Make two login roles for a schema, so that PostgreSQL enforces what its keys may do.

    Keys of type anon then read what is granted to the one, keys of type service_role do what is
    granted to the other. Where both are there, nothing changes, unless by --repair.
    """
    wish = Wish(schema, repairs=repair, revokes_public=revoke_public)

    def run(provisioner: Provisioner) -> Awaitable[tuple[bool, Sequence[str], Sequence[str]]]:
        return _provision(provisioner, wish)

    is_new, roles, advice = _as_provisioner(run)
    if as_json:
        shown = {"provisioned": is_new, "roles": list(roles), "forTheDba": list(advice)}
        click.echo(json.dumps(shown))
        return
    if not is_new:
        click.echo(f"Schema {schema} has its login roles already; --repair makes them anew.")
        return
    click.echo(f"Keys of schema {schema} run as {' and '.join(roles)} within 5 seconds.")
    click.echo("Unless done, the database's owner or a superuser should run:", err=True)
    for statement in advice:
        click.echo(f"  {statement};", err=True)


@click.command(epilog=_EXAMPLES)
@schema_argument
@_json
def deprovision(*, schema: str, as_json: bool) -> None:
    """Drop the login roles of a schema and revoke its keys; its tables stay, with its owner."""
    actor = Actor("cli", "", utc_now())
    removed = _as_provisioner(lambda provisioner: provisioner.deprovision(schema, actor))
    if as_json:
        shown = {"roles": list(removed.roles), "revokedKeys": removed.revoked_keys}
        click.echo(json.dumps(shown))
        return
    roles = " and ".join(removed.roles) or "no roles"
    click.echo(f"Dropped {roles}, revoked {removed.revoked_keys} keys of schema {schema}.")


@click.group(epilog=_EXAMPLES)
def grants() -> None:
    """Show what provisioning does."""


@grants.command("print", epilog=_EXAMPLES)
@schema_argument
@_revoke_public
@_json
def print_(*, schema: str, revoke_public: bool, as_json: bool) -> None:
    """Print the SQL that `provision` runs for a schema, and what only a DBA may run.

    Needs DATABASE_URL alone and changes nothing. A DBA who runs it by hand puts passwords in the
    place of the verifiers and tells them to `db-api logins set`.
    """
    wish = Wish(schema, revokes_public=revoke_public)
    with reported():
        settings = login_settings()
        url = settings.database_url.get_secret_value()
        statements, advice = _run(settings, url, lambda provisioner: provisioner.script(wish))
    if as_json:
        click.echo(json.dumps({"statements": list(statements), "forTheDba": list(advice)}))
        return
    for statement in (*statements, "-- for the database's owner or a superuser:", *advice):
        click.echo(statement if statement.startswith("--") else f"{statement};")


async def _provision(
    provisioner: Provisioner, wish: Wish
) -> tuple[bool, Sequence[str], Sequence[str]]:
    done = await provisioner.provision(wish, Actor("cli", "", utc_now()))
    return bool(done.logins), [login.role for login in done.logins], done.for_the_dba


def _as_provisioner(run: Callable[[Provisioner], Awaitable[T]]) -> T:
    with reported():
        settings = provision_settings()
        return _run(settings, settings.provision_database_url.get_secret_value(), run)


def _run(settings: LoginSettings, url: str, run: Callable[[Provisioner], Awaitable[T]]) -> T:
    async def in_loop() -> T:
        database_url = settings.database_url.get_secret_value()
        control = open_control(database_url)
        vault = LoginVault(database_url, settings.root_keys)
        try:
            return await run(Provisioner(url, control, vault))
        finally:
            await control.dispose()

    return asyncio.run(in_loop())
