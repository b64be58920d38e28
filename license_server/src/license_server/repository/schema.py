"""The schema's revisions: bringing a database up to date, and refusing one that is not."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select, text

from license_server.errors import ConfigurationError
from license_server.repository.database import Database, naming_faults

_FOLDER: Final = Path(__file__).parent.parent / "migrations"
_LOCK: Final = 0x6C73_6D69  # "lsmi": one migration at a time on PostgreSQL
_LOCK_TIMEOUT: Final = "60s"


def newest_revision() -> str:
    """Return the revision that this version of the program works with."""
    revision = _scripts().get_current_head()
    if revision is None:
        raise ConfigurationError(f"{_FOLDER} holds no migrations: install the package again")
    return revision


async def upgrade(database: Database) -> str:
    """Bring the database to the newest revision and return it; several may do so at once.

    Each revision is one transaction, begun by taking a lock and looking again where the
    database stands: whoever waited for another finds its work done.

    Raises:
        NotReady: the database does not answer.
        ConfigurationError: the database belongs to a newer program.
    """
    newest = newest_revision()
    with naming_faults():
        engine = database.engine()
        while True:
            async with engine.begin() as connection:
                if await connection.run_sync(_upgrade_by_one) == newest:
                    return newest


async def require_current(database: Database) -> None:
    """Do nothing if the database has the newest revision.

    Raises:
        NotReady: the database does not answer.
        ConfigurationError: it has another; the text names both.
    """
    newest, revision = newest_revision(), await _revision_of(database)
    if revision != newest:
        _require_known(revision, newest)
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


async def _revision_of(database: Database) -> str | None:
    with naming_faults():
        async with database.engine().connect() as connection:
            return await connection.run_sync(_revision)


def _upgrade_by_one(connection: Connection) -> str | None:
    _wait_for_others(connection)
    revision, newest = _revision(connection), newest_revision()
    if revision == newest:
        return revision
    _require_known(revision, newest)
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    command.upgrade(config, "+1")
    return _revision(connection)


def _wait_for_others(connection: Connection) -> None:
    """Take the lock of migrations; a transaction on SQLite has the file for itself anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _require_known(revision: str | None, newest: str) -> None:
    known = {None, *(script.revision for script in _scripts().walk_revisions())}
    if revision not in known:
        raise ConfigurationError(
            f"the database has revision {revision} and this program knows none after {newest}: "
            "install the newer license-server that made it"
        )


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_FOLDER))
