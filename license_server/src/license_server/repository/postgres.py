"""Requests of clients on PostgreSQL: one statement on a pool of asyncpg.

No statement of this module leaves anything in its session but a transaction, and the pool rolls
back one that was cut off. So its reset of returned connections, a round trip more, is left out.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Final

import asyncpg
from sqlalchemy.dialects.postgresql import insert

from license_server.audit import Change
from license_server.errors import NotReady
from license_server.evaluation import Found, Seat
from license_server.ports import Visit
from license_server.repository import statements
from license_server.repository.compiled import Numbered
from license_server.repository.database import (
    CONNECT_TIMEOUT_SECONDS,
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

ACQUIRE_TIMEOUT_SECONDS: Final = 2.0
COMMAND_TIMEOUT_SECONDS: Final = 5.0
MAX_CONNECTIONS: Final = 10

_FIND: Final = Numbered.of(statements.found_and_marked())
_LOCK: Final = Numbered.of(statements.lock_license())
_COUNT: Final = Numbered.of(statements.occupancy())
_REGISTER: Final = Numbered.of(statements.register(insert))
_FORGET: Final = Numbered.of(statements.forget())
_ADVANCE: Final = Numbered.of(statements.advance_newest_time())

if TYPE_CHECKING:
    _Connection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]  # subscriptable in stubs alone


class PostgresLicenses:
    """The `LicenseRepository` of a PostgreSQL database.

    Args:
        database: where it is.
    """

    def __init__(self, database: Database) -> None:
        self._engine = database.engine()
        self._url = database.url
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def open(self) -> None:
        """Make the pool; without the database too, which `require_ready` tells."""
        with naming_faults():
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=0,
                max_size=MAX_CONNECTIONS,
                timeout=CONNECT_TIMEOUT_SECONDS,
                command_timeout=COMMAND_TIMEOUT_SECONDS,
                reset=leave_as_it_is,
            )

    async def close(self) -> None:
        """Wait for what is under way and disconnect; a database that is frozen is left behind."""
        if self._pool is not None:
            with suppress(NotReady), naming_faults():
                await self._pool.close()
            self._pool = None

    async def require_ready(self) -> None:
        """Ask the database for a row.

        Raises:
            NotReady: it does not answer.
        """
        with naming_faults():
            async with self._acquire() as connection:
                await connection.fetchval("SELECT 1")

    async def find(self, visit: Visit) -> Found | None:
        """See `LicenseRepository.find`."""
        with naming_faults():
            async with self._acquire() as connection:
                row = await _fetch(connection, _FIND, visit_values(visit))
        return None if row is None else to_found(row)

    async def register(self, license_id: str, visit: Visit, limit: int | None) -> Seat:
        """See `LicenseRepository.register`; the license's row is locked meanwhile."""
        values = visit_values(visit) | {
            "license_id": license_id,
            "hour_ago": to_unix(visit.at - HOUR),
        }
        with naming_faults():
            async with self._acquire() as connection, connection.transaction():
                await _fetch(connection, _LOCK, values)
                occupancy = to_occupancy(await _fetch_one(connection, _COUNT, values))
                seat = allot_seat(occupancy, limit, visit.at)
                if seat is Seat.TAKEN and not occupancy.is_registered:
                    await _fetch(connection, _REGISTER, values)
        return seat

    async def forget(self, license_id: str, instance_id: str) -> None:
        """See `LicenseRepository.forget`."""
        values = {"license_id": license_id, "instance_id": instance_id}
        with naming_faults():
            async with self._acquire() as connection:
                await _fetch(connection, _FORGET, values)

    async def start_trial(
        self, license_id: str, ends_at: datetime, change: Change, now: datetime
    ) -> datetime:
        """See `LicenseRepository.start_trial`."""
        with naming_faults():
            return await start_trial(self._engine, license_id, ends_at, change, now)

    async def advance_newest_time(self, now: datetime) -> datetime:
        """See `LicenseRepository.advance_newest_time`."""
        with naming_faults():
            async with self._acquire() as connection:
                row = await _fetch_one(connection, _ADVANCE, {"at": to_unix(now)})
        return to_instant(row["newest_at"])

    def _acquire(self) -> "asyncpg.pool.PoolAcquireContext[asyncpg.Record]":
        if self._pool is None:
            raise NotReady("the database is not open")
        return self._pool.acquire(timeout=ACQUIRE_TIMEOUT_SECONDS)


async def leave_as_it_is(_connection: object) -> None:
    """Stand in for the reset of a session; a transaction is rolled back before this is called."""


async def _fetch_one(
    connection: "_Connection", statement: Numbered, values: Mapping[str, object]
) -> asyncpg.Record:
    row = await _fetch(connection, statement, values)
    if row is None:
        raise NotReady("the database lacks a row that a migration made")
    return row


async def _fetch(
    connection: "_Connection", statement: Numbered, values: Mapping[str, object]
) -> asyncpg.Record | None:
    return await connection.fetchrow(statement.sql, *statement.arguments(values))
