"""The schema's revisions, and refusing a database that is not at the newest.

A server asks this at its start, so nothing here needs alembic, which takes time and 9 MB; the way
from one revision to the next is `migration`.
"""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, column, inspect, select, table

from license_server.errors import ConfigurationError
from license_server.repository.database import Database, naming_faults

MIGRATIONS: Final = Path(__file__).parent.parent / "migrations"
_VERSION: Final = table("alembic_version", column("version_num"))


def known_revisions() -> list[str]:
    """Return the revisions that this version of the program knows, oldest first.

    They are numbered, and each stands in a file that begins with its number.

    Raises:
        ConfigurationError: there are none.
    """
    files = (MIGRATIONS / "versions").glob("[0-9]*_*.py")
    revisions = sorted(path.name.partition("_")[0] for path in files)
    if not revisions:
        raise ConfigurationError(f"{MIGRATIONS} holds no migrations: install the package again")
    return revisions


async def require_current(database: Database) -> None:
    """Do nothing if the database has the newest revision.

    Raises:
        NotReady: the database does not answer.
        ConfigurationError: it has another; the text names both.
    """
    newest, revision = known_revisions()[-1], await _revision_of(database)
    if revision != newest:
        require_known(revision)
        raise ConfigurationError(
            f"the database has revision {revision or 'none'} and this program needs {newest}: "
            "run `license-server migrate`"
        )


async def require_unused(database: Database) -> None:
    """Do nothing if no server has used the database yet.

    Raises:
        NotReady: the database does not answer.
        ConfigurationError: a server has, and its licenses need that server's peppers.
    """
    if await _revision_of(database) is not None:
        raise ConfigurationError(
            "the database belongs to a server already: use that server's folder, or a new database"
        )


def revision_of(connection: Connection) -> str | None:
    """Return the revision of a database; None = no server has used it."""
    if not inspect(connection).has_table(_VERSION.name):
        return None
    revision: str | None = connection.execute(select(_VERSION)).scalar()
    return revision


def require_known(revision: str | None) -> None:
    """Do nothing if this program knows a revision.

    Raises:
        ConfigurationError: it does not.
    """
    *_, newest = revisions = known_revisions()
    if revision is not None and revision not in revisions:
        raise ConfigurationError(
            f"the database has revision {revision} and this program knows none after {newest}: "
            "install the newer license-server that made it"
        )


async def _revision_of(database: Database) -> str | None:
    with naming_faults():
        async with database.engine().connect() as connection:
            return await connection.run_sync(revision_of)
