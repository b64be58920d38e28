"""Which database, and SQLAlchemy's way to it."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import asyncpg
from sqlalchemy import URL, Connection, NullPool, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from license_server.errors import ConfigurationError, NotReady
from license_server.secret_files import write_secret

CONNECT_TIMEOUT_SECONDS: Final = 5.0
BUSY_TIMEOUT_SECONDS: Final = 5.0

_FAULTS: Final = (
    OSError,
    TimeoutError,
    sqlite3.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # cut off within an error; of several hosts, none takes writes
    SQLAlchemyError,
)

_SQLITE: Final = "sqlite:///"
_POSTGRESQL: Final = ("postgresql://", "postgres://")


@dataclass(frozen=True, slots=True)
class Database:
    """A database by its URL, which may hold a password and so is not in the `repr`.

    Attributes:
        url: `postgresql://…` as asyncpg and libpq take it, `sslmode` included.
        path: of the SQLite file; exactly one of the two is set.
        turn: held by whoever must write to a SQLite file in this process, so that they come in
            their order instead of trying the file's lock again and again.
    """

    url: str | None = field(repr=False)
    path: Path | None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False, compare=False)

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Read `postgresql://…` or `sqlite:///path`.

        Raises:
            ConfigurationError: it is neither.
        """
        if url.startswith(_POSTGRESQL):
            return cls(url, None)
        if url.startswith(_SQLITE) and len(url) > len(_SQLITE):
            return cls.of_file(Path(url.removeprefix(_SQLITE)))
        raise ConfigurationError("DATABASE_URL: postgresql://… or sqlite:///path is expected")

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """Return the database of a SQLite file."""
        return cls(None, path)

    def create_missing_file(self) -> None:
        """Make an empty SQLite file, readable by its owner alone, unless there is one.

        Raises:
            ConfigurationError: it cannot be made.
        """
        if self.path is None or self.path.exists():
            return
        try:
            write_secret(self.path, b"")
        except OSError as error:
            raise ConfigurationError(f"cannot make {self.path}: {error.strerror}") from error

    def require_file(self) -> Path:
        """Return the path of the SQLite file; SQLite itself would make a missing one, empty.

        Raises:
            ConfigurationError: there is no such file.
        """
        if self.path is None or not self.path.is_file():
            raise ConfigurationError(
                f"there is no SQLite database at {self.path}: run `license-server init` for a new "
                "server, or `license-server migrate` for a new database"
            )
        return self.path

    def engine(self) -> AsyncEngine:
        """Return an engine for the vendor's work; it keeps no connections."""
        if self.path is not None:
            return _sqlite_engine(self.require_file())
        return create_async_engine(
            "postgresql+asyncpg://", async_creator=self._connect, poolclass=NullPool
        )

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """Connect past SQLAlchemy's reading of URLs, which refuses `sslmode`."""
        return await asyncpg.connect(self.url, timeout=CONNECT_TIMEOUT_SECONDS)


@contextmanager
def naming_faults() -> Iterator[None]:
    """Turn whatever a driver raises into `NotReady`."""
    try:
        yield
    except _FAULTS as error:
        raise NotReady("the database does not answer") from error


def _sqlite_engine(path: Path) -> AsyncEngine:
    url = URL.create("sqlite+aiosqlite", database=str(path))
    engine = create_async_engine(
        url, poolclass=NullPool, connect_args={"timeout": BUSY_TIMEOUT_SECONDS}
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """Take transactions into our own hands: the driver would leave DDL outside of them."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    """Lock for writing at once: a lock taken after a read fails instead of waiting."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
