"""The connections to the service's own tables, and what their failures mean.

SQLAlchemy with asyncpg's own reading of the URL: libpq's parameters (`?sslmode=require`) work, as
they do for the data side.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from db_api.errors import DataApiError, MigrationNeededError, NotReadyError

_CONNECT_SECONDS: Final = 5
_STATEMENT_SECONDS: Final = 30
_DEADLINE_MARGIN_SECONDS: Final = 2  # a frozen backend obeys no statement_timeout
_POOL_SIZE: Final = 2
_POOL_SECONDS: Final = 2
_UNREACHABLE: Final = (
    OSError,
    TimeoutError,
    PoolTimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # cut off within an error; of several hosts, none takes writes
)
_NOT_NOW: Final = ("08", "28", "3D", "53", "55", "57")
"""SQLSTATE classes: connection, authorization, database name, resources, locks, cancelled."""
_UNDEFINED: Final = frozenset(
    {
        asyncpg.UndefinedTableError.sqlstate,
        asyncpg.UndefinedColumnError.sqlstate,
        asyncpg.InvalidSchemaNameError.sqlstate,
    }
)


def open_control(database_url: str, *, statement_seconds: int = _STATEMENT_SECONDS) -> AsyncEngine:
    """Make the engine of the service's own tables; it connects when first used.

    Args:
        database_url: `postgresql://…` as libpq reads it.
        statement_seconds: how long a statement may take.
    """

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(
            database_url,
            timeout=_CONNECT_SECONDS,
            command_timeout=statement_seconds + _DEADLINE_MARGIN_SECONDS,
            server_settings={
                "application_name": "db-api control",
                "statement_timeout": f"{statement_seconds}s",
                "timezone": "UTC",
            },
        )

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=_POOL_SIZE,
        max_overflow=0,
        pool_timeout=_POOL_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,
    )


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open one transaction, committed at the end; failures as `database_errors` names them."""
    with database_errors():
        async with engine.begin() as connection:
            yield connection


@contextmanager
def database_errors() -> Iterator[None]:
    """Name what keeps the database from answering; what else it says stays as it is.

    Raises:
        NotReadyError: it cannot be reached or does not answer in time.
        MigrationNeededError: the service's tables are not there.
    """
    try:
        yield
    except _UNREACHABLE as error:
        raise _not_ready() from error
    except (DBAPIError, asyncpg.PostgresError) as error:
        if meaning := _meaning(sqlstate_of(error)):
            raise meaning from error
        raise


def sqlstate_of(error: DBAPIError | asyncpg.PostgresError) -> str:
    """Return the SQLSTATE of an error, empty when PostgreSQL did not raise it."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlstate", None) or ""


def _meaning(sqlstate: str) -> DataApiError | None:
    if not sqlstate or sqlstate.startswith(_NOT_NOW):
        return _not_ready()
    if sqlstate in _UNDEFINED:
        return MigrationNeededError(
            "The tables of this service are not in the database.", hint="Run `db-api migrate`."
        )
    return None


def _not_ready() -> NotReadyError:
    return NotReadyError("The database does not answer.", hint="Try again in a few seconds.")
