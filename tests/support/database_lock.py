"""A lock in a database, by which a test keeps a request waiting as long as it wants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

NUMBER = 7
"""Of the advisory lock: `pg_advisory_lock(7)` in a view waits for it."""

_WAITERS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
_LOOK_SECONDS = 0.01


class HeldLock:
    """An advisory lock that a test holds."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection

    async def until_waited_for(self, waiters: int = 1) -> None:
        """Return once so many statements wait for it."""
        while await self._connection.fetchval(_WAITERS) < waiters:  # noqa: ASYNC110 - PostgreSQL tells nobody
            await asyncio.sleep(_LOOK_SECONDS)

    async def release(self) -> None:
        """Let those who wait go on."""
        await self._connection.execute("SELECT pg_advisory_unlock_all()")


@asynccontextmanager
async def holding_lock(database_url: str) -> AsyncIterator[HeldLock]:
    """Hold the lock until it is released, or the block ends."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(f"SELECT pg_advisory_lock({NUMBER})")
        yield HeldLock(connection)
    finally:
        await connection.close()
