"""`db-api openapi`: what the keys of a schema may do, as a document."""

import asyncio

import click

from db_api.api_keys import KeyType
from db_api.callers import Caller
from db_api.catalog import Catalog
from db_api.cli.environment import login_settings
from db_api.cli.exits import FAILED, end, reported
from db_api.cli.schema_names import schema_argument
from db_api.clock import monotonic_seconds
from db_api.connections import Connections
from db_api.control.database import open_control
from db_api.control.logins import LoginStore
from db_api.execution import Database
from db_api.logins import Logins, LoginVault
from db_api.openapi import Describer
from db_api.rest_errors import RestError
from db_api.schemas import SchemaStore
from db_api.settings import LoginSettings

_KEY_TYPES = click.Choice([key_type.value for key_type in KeyType])
_WAIT_SECONDS = 5
_STATEMENT_TIMEOUT_MS = 10_000
_EXAMPLES = """\b
Examples:
  db-api openapi shop > openapi.json
  db-api openapi shop --type anon | jq '.paths | keys'"""


@click.command(epilog=_EXAMPLES)
@schema_argument
@click.option(
    "--type",
    "key_type",
    type=_KEY_TYPES,
    default=KeyType.SERVICE_ROLE.value,
    show_default=True,
    help="Of the keys that it is for.",
)
def openapi(*, schema: str, key_type: str) -> None:
    """Print the OpenAPI 3.1 document that keys of a schema get at /rest/v1/."""
    with reported():
        settings = login_settings()
        caller = Caller(schema, KeyType(key_type).value, "")
        try:
            document = asyncio.run(_describe(settings, caller))
        except RestError as error:
            end(FAILED, f"db-api: {error.message}")
    click.echo(document)


async def _describe(settings: LoginSettings, caller: Caller) -> bytes:
    url = settings.database_url.get_secret_value()
    control, connections = open_control(url), Connections(url, 1)
    try:
        await SchemaStore(control).require(caller.schema)
        vault = LoginVault(url, settings.root_keys)
        logins = Logins(LoginStore(control).of_schema, vault, monotonic_seconds)
        database = Database(connections, _WAIT_SECONDS, logins)
        catalog = Catalog(database.read_schema_cache, monotonic_seconds)
        return await Describer(database, catalog, _STATEMENT_TIMEOUT_MS).describe(caller)
    finally:
        await connections.close()
        await control.dispose()
