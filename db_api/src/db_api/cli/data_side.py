"""The commands' way to rows: the data side's own database and engine, as DATABASE_URL's login."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import asyncpg

from db_api.catalog import Catalog
from db_api.cli.environment import database_url
from db_api.cli.exits import FAILED, end, reported
from db_api.clock import monotonic_seconds
from db_api.connections import Connections
from db_api.execution import Database
from db_api.rest_errors import RestError

T = TypeVar("T")
_WAIT_SECONDS: Final = 5


def with_database(run: Callable[[Database, Catalog], Awaitable[T]]) -> T:
    """Do something with the database at DATABASE_URL; end the process where that fails."""

    async def in_loop() -> T:
        connections = Connections(database_url(), 1)
        try:
            database = Database(connections, _WAIT_SECONDS)
            return await run(database, Catalog(database.read_schema_cache, monotonic_seconds))
        finally:
            await connections.close()

    with reported():
        try:
            return asyncio.run(in_loop())
        except RestError as error:
            end(FAILED, f"db-api: {error.message}", *_more(error.details, error.hint))
        except asyncpg.PostgresError as error:
            end(FAILED, f"db-api: {error.message}", *_more(error.detail, error.context, error.hint))


def _more(*texts: object) -> list[str]:
    return [text for text in texts if isinstance(text, str) and text]
