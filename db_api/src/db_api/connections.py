"""A small pool of connections to one login, made when they are first needed.

asyncpg's own pool is general: a task, a proxy and a reset for each release cost as much as a
tenth of a whole request here, where every transaction begins and ends in its own right.
"""

import asyncio
from typing import Final, TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_SERVER_SETTINGS: Final = {
    "application_name": "db-api",
    "client_connection_check_interval": "2s",  # a killed process leaves no query running
}


class Connections:
    """Up to `size` connections, the one used last taken first.

    Args:
        url: `postgresql://user:password@host:port/database`, libpq's parameters allowed.
        size: connections at most, 1 or more.
    """

    def __init__(self, url: str, size: int) -> None:
        self._url = url
        self._free = asyncio.Semaphore(size)
        self._idle: list[Connection] = []

    async def take(self, wait_seconds: float) -> Connection:
        """Take a connection, which `give_back` must get in the end.

        Raises:
            TimeoutError: none was free, or none could be made, within `wait_seconds`.
            OSError: the server cannot be reached.
            asyncpg.PostgresError: it refuses the login, or has no room.
            asyncpg.InterfaceError: it does not speak as expected.
        """
        if self._idle and not self._free.locked():
            await self._free.acquire()
            connection = self._pop_idle()
            if connection is not None:
                return connection
            self._free.release()
        async with asyncio.timeout(wait_seconds):
            await self._free.acquire()
            try:
                return self._pop_idle() or await self._connect()
            except BaseException:
                self._free.release()
                raise

    def give_back(self, connection: Connection) -> None:
        """Make a taken connection free for others; a closed one makes room for a new one."""
        if not connection.is_closed():
            self._idle.append(connection)
        self._free.release()

    async def close(self) -> None:
        """Close the connections that nobody uses."""
        while (connection := self._pop_idle()) is not None:
            await connection.close()

    def _pop_idle(self) -> "Connection | None":
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None

    async def _connect(self) -> Connection:
        return await asyncpg.connect(self._url, server_settings=_SERVER_SETTINGS)
