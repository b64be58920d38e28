"""Bring the service's own tables to the revision that this version works with."""

from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from db_api.control.database import open_control, transaction
from db_api.control.tables import SCHEMA
from db_api.errors import MigrationNeededError

_SCRIPTS: Final = Path(__file__).parent.parent / "migrations"
_LOCK_ID: Final = 0x6462_6170_69  # "dbapi"; PostgreSQL scopes advisory locks to the database
_LOCK_SECONDS: Final = 60
_STATEMENT_SECONDS: Final = 3600


async def require_revision(engine: AsyncEngine) -> None:
    """Refuse a database whose tables are not of this version.

    Raises:
        MigrationNeededError: naming both revisions.
        NotReadyError: the database does not answer.
    """
    found = await _read_revision(engine)
    needed = needed_revision()
    if found != needed:
        raise MigrationNeededError(
            f"The database is at revision {found or 'none'}, this version needs {needed}.",
            hint="Run `db-api migrate`; a newer database needs the newer program.",
        )


@lru_cache(maxsize=1)
def needed_revision() -> str:
    """Return the newest revision among the scripts of this version."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise FileNotFoundError(f"there are no revisions in {_SCRIPTS}")
    return head


async def migrate(database_url: str) -> None:
    """Apply what is missing, each revision in a transaction of its own; one migrator at a time.

    Raises:
        MigrationNeededError: the database is of a newer version than this one.
        NotReadyError: the database does not answer, or another migrator held the lock for 60 s.
    """
    engine = open_control(database_url, statement_seconds=_STATEMENT_SECONDS)
    try:
        async with transaction(engine) as guard:
            await guard.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'"))
            await guard.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _LOCK_ID})
            async with engine.connect() as connection:
                await connection.run_sync(_upgrade)
        await require_revision(engine)
    finally:
        await engine.dispose()


async def _read_revision(engine: AsyncEngine) -> str | None:
    async with transaction(engine) as connection:
        return await connection.run_sync(_current_revision)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    with suppress(CommandError):  # a revision that these scripts do not know; named afterwards
        command.upgrade(config, "head")


def _current_revision(connection: Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table_schema": SCHEMA})
    return context.get_current_revision()
