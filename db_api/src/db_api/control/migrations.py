"""Bring the service's own tables to the revision that this version works with."""

from contextlib import suppress
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, text

from db_api.control.database import open_control, transaction
from db_api.control.revision import SCRIPTS, require_revision

_LOCK_ID: Final = 0x6462_6170_69  # "dbapi"; PostgreSQL scopes advisory locks to the database
_LOCK_SECONDS: Final = 60
_STATEMENT_SECONDS: Final = 3600


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


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    with suppress(CommandError):  # a revision that these scripts do not know; named afterwards
        command.upgrade(config, "head")
