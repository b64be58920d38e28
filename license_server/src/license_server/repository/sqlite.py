"""Requests of clients on SQLite: the driver called directly, without a thread between.

Every call ends within a fraction of a millisecond, far less than handing it to a thread costs.
Only the start of a trial, once in its life, takes the vendor's way, through a thread.

The vendor's work, such as an import, may hold the file's write lock for seconds, in this process or
in that of a command. No call stops the event loop to wait for it: reading needs no lock; what may
be left out for once is left out; what must be written waits for its turn and tries again.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Final

from sqlalchemy.dialects.sqlite import insert

from license_server.audit import Change
from license_server.errors import NotReady
from license_server.evaluation import Found, Seat
from license_server.ports import Visit
from license_server.repository import statements
from license_server.repository.compiled import Named
from license_server.repository.database import (
    BUSY_TIMEOUT_SECONDS,
    Database,
    naming_faults,
)
from license_server.repository.rows import (
    to_found,
    to_instant,
    to_occupancy,
    to_unix,
    visit_values,
)
from license_server.repository.trials import start_trial
from license_server.seats import HOUR, allot_seat

_FIND: Final = Named.of(statements.found())
_MARK_SEEN: Final = Named.of(statements.mark_seen(statements.named().subquery("named")))
_COUNT: Final = Named.of(statements.occupancy())
_REGISTER: Final = Named.of(statements.register(insert))
_FORGET: Final = Named.of(statements.forget())
_ADVANCE: Final = Named.of(statements.advance_newest_time())

_NEWEST: Final = "SELECT newest_at FROM server_state"
_OPENING: Final = (
    "PRAGMA journal_mode = WAL",  # readers and the one writer do not wait for each other
    "PRAGMA synchronous = NORMAL",  # a power cut may cost the last marks, never the file
    "PRAGMA foreign_keys = ON",
    "SELECT 1 FROM sqlite_schema LIMIT 1",  # makes the WAL's index, which locks readers out too
    "PRAGMA busy_timeout = 0",  # a lock that is held is told at once
)
_RETRY_SECONDS: Final = 0.02
_PRIMARY_CODE: Final = 0xFF  # of an extended error code (sqlite.org/rescode.html)


class SqliteLicenses:
    """The `LicenseRepository` of a SQLite file, for one process.

    Args:
        database: where it is.
    """

    def __init__(self, database: Database) -> None:
        self._path = database.require_file()
        self._engine = database.engine()
        self._connection: sqlite3.Connection | None = None
        self._turn = database.turn

    async def open(self) -> None:
        """Open the file."""
        with naming_faults():
            connection = sqlite3.connect(
                self._path, isolation_level=None, timeout=BUSY_TIMEOUT_SECONDS
            )
            connection.row_factory = sqlite3.Row
            for statement in _OPENING:
                connection.execute(statement).fetchone()
        self._connection = connection

    async def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def require_ready(self) -> None:
        """Ask the database for a row.

        Raises:
            NotReady: it does not answer.
        """
        with self._using() as connection:
            connection.execute("SELECT 1 FROM server_state").fetchone()

    async def find(self, visit: Visit) -> Found | None:
        """See `LicenseRepository.find`; while others write, a visit leaves no mark."""
        values = visit_values(visit)
        with self._using() as connection:
            row = _fetch(connection, _FIND, values)
            if row is not None and row["instance_id"] is not None:
                _fetch_unless_locked(connection, _MARK_SEEN, values)
        return None if row is None else to_found(row)

    async def register(self, license_id: str, visit: Visit, limit: int | None) -> Seat:
        """See `LicenseRepository.register`; the file is locked for writing meanwhile."""
        values = visit_values(visit) | {
            "license_id": license_id,
            "hour_ago": to_unix(visit.at - HOUR),
        }
        async with self._transaction() as connection:
            occupancy = to_occupancy(_fetch_one(connection, _COUNT, values))
            seat = allot_seat(occupancy, limit, visit.at)
            if seat is Seat.TAKEN and not occupancy.is_registered:
                _fetch(connection, _REGISTER, values)
        return seat

    async def forget(self, license_id: str, instance_id: str) -> None:
        """See `LicenseRepository.forget`."""
        values = {"license_id": license_id, "instance_id": instance_id}
        async with self._transaction() as connection:
            _fetch(connection, _FORGET, values)

    async def start_trial(
        self, license_id: str, ends_at: datetime, change: Change, now: datetime
    ) -> datetime:
        """See `LicenseRepository.start_trial`."""
        with naming_faults():
            async with self._turn:
                return await start_trial(self._engine, license_id, ends_at, change, now)

    async def advance_newest_time(self, now: datetime) -> datetime:
        """See `LicenseRepository.advance_newest_time`; while others write, it stays as it is."""
        with self._using() as connection:
            row = _fetch_unless_locked(connection, _ADVANCE, {"at": to_unix(now)})
            row = row or connection.execute(_NEWEST).fetchone()
        return to_instant(_require(row)["newest_at"])

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        if self._connection is None:
            raise NotReady("the database is not open")
        with naming_faults():
            yield self._connection

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[sqlite3.Connection]:
        """Hold the write lock from the first read on, so that no count can go stale.

        Raises:
            NotReady: another process holds it for longer than `BUSY_TIMEOUT_SECONDS`.
        """
        async with self._turn:
            with self._using() as connection:
                await _lock(connection)
                try:
                    yield connection
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")


async def _lock(connection: sqlite3.Connection) -> None:
    """Begin a transaction that writes, once no other process does."""
    for _ in range(int(BUSY_TIMEOUT_SECONDS / _RETRY_SECONDS)):
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            _require_locked(error)
        else:
            return
        await asyncio.sleep(_RETRY_SECONDS)
    raise NotReady("another process writes to the database for long")


def _fetch_unless_locked(
    connection: sqlite3.Connection, statement: Named, values: Mapping[str, object]
) -> sqlite3.Row | None:
    try:
        return _fetch(connection, statement, values)
    except sqlite3.OperationalError as error:
        _require_locked(error)
        return None


def _require_locked(error: sqlite3.OperationalError) -> None:
    """Raise again what is no lock that another connection holds."""
    if error.sqlite_errorcode & _PRIMARY_CODE != sqlite3.SQLITE_BUSY:
        raise error


def _fetch(
    connection: sqlite3.Connection, statement: Named, values: Mapping[str, object]
) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute(
        statement.sql, statement.arguments(values)
    ).fetchone()
    return row


def _fetch_one(
    connection: sqlite3.Connection, statement: Named, values: Mapping[str, object]
) -> sqlite3.Row:
    return _require(_fetch(connection, statement, values))


def _require(row: sqlite3.Row | None) -> sqlite3.Row:
    if row is None:
        raise NotReady("the database lacks a row that a migration made")
    return row
