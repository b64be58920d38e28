"""Bring the service's own tables to the revision that this version works with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from db_api.control.database import open_control, transaction
from db_api.control.tables import SCHEMA

_SCRIPTS: Final = Path(__file__).parent.parent / "migrations"
_LOCK_ID: Final = 0x6462_6170_69  # "dbapi"; PostgreSQL scopes advisory locks to the database
_LOCK_SECONDS: Final = 60
_STATEMENT_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class Revisions:
    """Where the database stands, and where this version needs it; None = no tables yet."""

    found: str | None
    needed: str | None

    @property
    def agree(self) -> bool:
        """Tell whether the service may start."""
        return self.found == self.needed

    def explain(self) -> str:
        """Say what differs and what to do."""
        return (
            f"the database is at revision {self.found or 'none'}, this version needs "
            f"{self.needed}: run `db-api migrate` of this version"
        )


async def read_revisions(engine: AsyncEngine) -> Revisions:
    """Compare the database with the scripts of this version.

    Raises:
        NotReadyError: the database does not answer.
    """
    async with transaction(engine) as connection:
        found = await connection.run_sync(_current_revision)
    return Revisions(found, ScriptDirectory.from_config(_config()).get_current_head())


async def migrate(database_url: str) -> Revisions:
    """Apply what is missing, each revision in a transaction of its own; one migrator at a time.

    Raises:
        NotReadyError: the database does not answer, or another migrator held the lock for 60 s.
    """
    engine = open_control(database_url, statement_seconds=_STATEMENT_SECONDS)
    try:
        async with transaction(engine) as guard:
            await guard.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'"))
            await guard.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _LOCK_ID})
            async with engine.connect() as connection:
                await connection.run_sync(_upgrade)
        return await read_revisions(engine)
    finally:
        await engine.dispose()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _current_revision(connection: Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table_schema": SCHEMA})
    return context.get_current_revision()
