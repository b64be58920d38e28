"""Bringing a database up to date, one revision after the other, by alembic."""

from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, func, select, text

from license_server.repository.database import Database, naming_faults
from license_server.repository.schema import (
    MIGRATIONS,
    known_revisions,
    require_known,
    revision_of,
)

_LOCK: Final = 0x6C73_6D69  # "lsmi": one migration at a time on PostgreSQL
_LOCK_TIMEOUT: Final = "60s"


async def upgrade(database: Database) -> str:
    """Bring the database to the newest revision and return it; several may do so at once.

    Each revision is one transaction, begun by taking a lock and looking again where the
    database stands: whoever waited for another finds its work done.

    Raises:
        NotReady: the database does not answer.
        ConfigurationError: the database belongs to a newer program.
    """
    newest = known_revisions()[-1]
    with naming_faults():
        engine = database.engine()
        while True:
            async with engine.begin() as connection:
                if await connection.run_sync(_upgrade_by_one) == newest:
                    return newest


def _upgrade_by_one(connection: Connection) -> str | None:
    _wait_for_others(connection)
    revision = revision_of(connection)
    if revision == known_revisions()[-1]:
        return revision
    require_known(revision)
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "+1")
    return revision_of(connection)


def _wait_for_others(connection: Connection) -> None:
    """Take the lock of migrations; a transaction on SQLite has the file for itself anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
