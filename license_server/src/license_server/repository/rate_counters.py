"""Counters of rate limits that all servers of a PostgreSQL database share.

The database's clock alone is asked. A window that it says ends later than it could was begun
before that clock was set back, and counts as ended.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
from sqlalchemy import BigInteger, Integer, and_, bindparam, case, cast, func, not_, or_, select
from sqlalchemy.dialects.postgresql import insert

from license_server.ports import Tally
from license_server.repository.compiled import Numbered
from license_server.repository.database import (
    CONNECT_TIMEOUT_SECONDS,
    Database,
    naming_faults,
)
from license_server.repository.postgres import (
    ACQUIRE_TIMEOUT_SECONDS,
    COMMAND_TIMEOUT_SECONDS,
    leave_as_it_is,
)
from license_server.repository.tables import rate_counters

MAX_CONNECTIONS: Final = 2
"""Of their own: counting must not wait for what it limits."""

_NOW: Final = cast(func.extract("epoch", func.clock_timestamp()), BigInteger)
_NEW_END: Final = _NOW + bindparam("window_seconds", type_=Integer)
_IS_OVER: Final = or_(rate_counters.c.ends_at <= _NOW, rate_counters.c.ends_at > _NEW_END)
_LEFT: Final = (rate_counters.c.ends_at - _NOW).label("seconds_left")


def _addition() -> Numbered:
    added = insert(rate_counters).values(
        key=bindparam("key"), count=bindparam("cost", type_=Integer), ends_at=_NEW_END
    )
    count, ends_at = rate_counters.c.count, rate_counters.c.ends_at
    return Numbered.of(
        added.on_conflict_do_update(
            index_elements=[rate_counters.c.key],
            set_={
                "count": case((_IS_OVER, added.excluded.count), else_=count + added.excluded.count),
                "ends_at": case((_IS_OVER, added.excluded.ends_at), else_=ends_at),
            },
        ).returning(count, _LEFT)
    )


_ADD: Final = _addition()
_LOOK: Final = Numbered.of(
    select(rate_counters.c.count, _LEFT).where(
        and_(rate_counters.c.key == bindparam("key"), not_(_IS_OVER))
    )
)


class PostgresCounters:
    """The `Counters` of a PostgreSQL database.

    Args:
        pool: connections to it.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def add(self, key: str, window_seconds: int, cost: int) -> Tally:
        """See `Counters.add`."""
        statement = _ADD if cost else _LOOK
        values = {"key": key, "window_seconds": window_seconds, "cost": cost}
        with naming_faults():
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_SECONDS) as connection:
                row = await connection.fetchrow(statement.sql, *statement.arguments(values))
        return Tally(0, window_seconds) if row is None else Tally(*row)


@asynccontextmanager
async def postgres_counters(database: Database) -> AsyncIterator[PostgresCounters]:
    """Yield the counters of a database; it is connected to when they are first asked."""
    with naming_faults():
        pool = await asyncpg.create_pool(
            database.url,
            min_size=0,
            max_size=MAX_CONNECTIONS,
            timeout=CONNECT_TIMEOUT_SECONDS,
            command_timeout=COMMAND_TIMEOUT_SECONDS,
            reset=leave_as_it_is,
        )
    try:
        yield PostgresCounters(pool)
    finally:
        pool.terminate()  # a goodbye would wait for a database that may be frozen
