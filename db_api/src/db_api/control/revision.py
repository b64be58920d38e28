"""Refusing a database whose tables are not of this version.

A server asks this at its start, so nothing here needs alembic, which takes time and 9 MB; the way
from one revision to the next is `migrations`.
"""

from functools import lru_cache
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, column, inspect, select, table
from sqlalchemy.ext.asyncio import AsyncEngine

from db_api.control.database import transaction
from db_api.control.tables import SCHEMA
from db_api.errors import MigrationNeededError

SCRIPTS: Final = Path(__file__).parent.parent / "migrations"
_VERSION: Final = table("alembic_version", column("version_num"), schema=SCHEMA)


async def require_revision(engine: AsyncEngine) -> None:
    """Refuse a database whose tables are not of this version.

    Raises:
        MigrationNeededError: naming both revisions.
        NotReadyError: the database does not answer.
    """
    async with transaction(engine) as connection:
        found = await connection.run_sync(_current_revision)
    needed = needed_revision()
    if found != needed:
        raise MigrationNeededError(
            f"The database is at revision {found or 'none'}, this version needs {needed}.",
            hint="Run `db-api migrate`; a newer database needs the newer program.",
        )


@lru_cache(maxsize=1)
def needed_revision() -> str:
    """Return the newest revision of this version: its scripts' names begin with their numbers."""
    names = [path.name for path in (SCRIPTS / "versions").glob("[0-9]*_*.py")]
    if not names:
        raise FileNotFoundError(f"there are no revisions in {SCRIPTS}: install the package again")
    return max(names).partition("_")[0]


def _current_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION.name, SCHEMA):
        return None
    revision: str | None = connection.execute(select(_VERSION)).scalar()
    return revision
