"""Requests of clients on SQLite: the driver called directly, without a thread between.

Every call ends within a fraction of a millisecond, far less than handing it to a thread costs.
Only the start of a trial, once in its life, takes the vendor's way, through a thread. As that way
holds the file's write lock while the event loop turns, the others must not wait for that lock
meanwhile: they would stop the loop that is to free it. They wait for their turn instead.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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

_SETTINGS: Final = (
    "PRAGMA journal_mode = WAL",  # readers and the one writer do not wait for each other
    "PRAGMA synchronous = NORMAL",  # a power cut may cost the last marks, never the file
    "PRAGMA foreign_keys = ON",
)


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
            for setting in _SETTINGS:
                connection.execute(setting)
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
        """See `LicenseRepository.find`."""
        values = visit_values(visit)
        async with self._turn:
            with self._using() as connection:
                row = _fetch(connection, _FIND, values)
                if row is not None and row["instance_id"] is not None:
                    _fetch(connection, _MARK_SEEN, values)
        return None if row is None else to_found(row)

    async def register(self, license_id: str, visit: Visit, limit: int | None) -> Seat:
        """See `LicenseRepository.register`; the file is locked for writing meanwhile."""
        values = visit_values(visit) | {
            "license_id": license_id,
            "hour_ago": to_unix(visit.at - HOUR),
        }
        async with self._turn:
            with self._using() as connection, _transaction(connection):
                occupancy = to_occupancy(_fetch_one(connection, _COUNT, values))
                seat = allot_seat(occupancy, limit, visit.at)
                if seat is Seat.TAKEN and not occupancy.is_registered:
                    _fetch(connection, _REGISTER, values)
        return seat

    async def forget(self, license_id: str, instance_id: str) -> None:
        """See `LicenseRepository.forget`."""
        values = {"license_id": license_id, "instance_id": instance_id}
        async with self._turn:
            with self._using() as connection:
                _fetch(connection, _FORGET, values)

    async def start_trial(
        self, license_id: str, ends_at: datetime, change: Change, now: datetime
    ) -> datetime:
        """See `LicenseRepository.start_trial`."""
        with naming_faults():
            async with self._turn:
                return await start_trial(self._engine, license_id, ends_at, change, now)

    async def advance_newest_time(self, now: datetime) -> datetime:
        """See `LicenseRepository.advance_newest_time`."""
        async with self._turn:
            with self._using() as connection:
                row = _fetch_one(connection, _ADVANCE, {"at": to_unix(now)})
        return to_instant(row["newest_at"])

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        if self._connection is None:
            raise NotReady("the database is not open")
        with naming_faults():
            yield self._connection


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
    row = _fetch(connection, statement, values)
    if row is None:
        raise NotReady("the database lacks a row that a migration made")
    return row


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the write lock from the first read on, so that no count can go stale."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
