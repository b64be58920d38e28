"""`db-api schema`: schemas, straight in the database."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from db_api.cli.environment import database_url
from db_api.cli.exits import reported
from db_api.cli.schema_names import schema_argument
from db_api.clock import utc_now
from db_api.control.audit import Actor
from db_api.control.database import open_control
from db_api.schemas import SchemaStore

T = TypeVar("T")
_EXAMPLES = """\b
Examples:
  db-api schema create shop && db-api provision shop
  db-api schema list --json
  db-api schema drop shop --confirm shop"""
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(epilog=_EXAMPLES)
def schema() -> None:
    """Create, list and drop schemas in DATABASE_URL."""


@schema.command(epilog=_EXAMPLES)
@schema_argument
def create(*, schema: str) -> None:
    """Create a schema: 1 to 63 of A-Z, a-z, 0-9 and _, no digit first."""
    _in_database(lambda store: store.create(schema, _actor()))
    click.echo(f"Schema {schema} is created.")


@schema.command("list", epilog=_EXAMPLES)
@_json
def list_(*, as_json: bool) -> None:
    """List the schemas that are not PostgreSQL's or the service's own."""
    found = _in_database(lambda store: store.list())
    if as_json:
        shown = [{"name": one.name, "owner": one.owner, "comment": one.comment} for one in found]
        click.echo(json.dumps(shown))
        return
    for one in found:
        click.echo(f"{one.name:<24}  {one.owner:<24}  {one.comment or ''}".rstrip())


@schema.command(epilog=_EXAMPLES)
@schema_argument
@click.option("--confirm", required=True, help="The schema's name once more.")
@_json
def drop(*, schema: str, confirm: str, as_json: bool) -> None:
    """Drop a schema with everything in it, and revoke its keys."""
    if confirm != schema:
        raise click.BadParameter(f"{schema} is expected", param_hint="--confirm")
    revoked = _in_database(lambda store: store.drop(schema, _actor()))
    if as_json:
        click.echo(json.dumps({"name": schema, "revokedKeys": revoked}))
        return
    click.echo(f"Schema {schema} is dropped, {revoked} keys are revoked.")


def _actor() -> Actor:
    return Actor("cli", "", utc_now())


def _in_database(run: Callable[[SchemaStore], Awaitable[T]]) -> T:
    async def in_loop() -> T:
        engine = open_control(database_url())
        try:
            return await run(SchemaStore(engine))
        finally:
            await engine.dispose()

    with reported():
        return asyncio.run(in_loop())
