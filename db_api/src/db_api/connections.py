"""The connections of one process for data, made when they are first needed.

There is one small pool a login, and one bound for all of them together: where the bound is
reached, the idle connection that was used longest ago makes room for one of another login.

asyncpg's own pool is general: a task, a proxy and a reset for each release cost as much as a
tenth of a whole request here, where every transaction begins and ends in its own right.
"""

import asyncio
from contextlib import AsyncExitStack
from typing import Final, TypeAlias
from weakref import WeakValueDictionary

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

UNREACHABLE: Final = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # cut off within an error; of several hosts, none takes writes
)
"""What asyncpg raises where it can make no connection; a TimeoutError is an OSError."""

_SERVER_SETTINGS: Final = {
    "application_name": "db-api",
    "client_connection_check_interval": "2s",  # a killed process leaves no query running
}


class Connections:
    """Up to `size` connections, of each login the one used last taken first.

    Args:
        url: `postgresql://user:password@host:port/database`, libpq's parameters allowed: the
            login of whoever has none of their own.
        size: connections at most, 1 or more; one key holds at most half of them.
    """

    def __init__(self, url: str, size: int) -> None:
        self._url = url
        self._size = size
        self._free = asyncio.Semaphore(size)
        self._anybody = asyncio.Semaphore(size)  # the share of who has no limit but the size
        self._shares: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._lent: dict[Connection, tuple[str, asyncio.Semaphore]] = {}
        self._idle: list[tuple[str, Connection]] = []  # the one used longest ago first
        self._connecting = 0
        self._waiting = 0

    @property
    def size(self) -> int:
        """Connections at most."""
        return self._size

    @property
    def in_use(self) -> int:
        """Connections that somebody holds."""
        return len(self._lent)

    @property
    def waiting(self) -> int:
        """How many wait for a connection, or for one that is being made."""
        return self._waiting

    async def take(
        self, wait_seconds: float, url: str | None = None, holder: str | None = None
    ) -> Connection:
        """Take a connection, which `give_back` must get in the end.

        Args:
            wait_seconds: how long to wait for one.
            url: of the login that connects; None = the one that this was made with.
            holder: the key that holds it; None = nobody whose share is limited.

        Raises:
            TimeoutError: none was free, or none could be made, within `wait_seconds`.
            OSError: the server cannot be reached.
            asyncpg.PostgresError: it refuses the login, or has no room.
            asyncpg.InterfaceError: it does not speak as expected.
            asyncpg.TargetServerAttributeNotMatched: none of several servers takes writes.
        """
        login, share = url or self._url, self._share_of(holder)
        if self._idle and not self._free.locked() and not share.locked():
            connection = self._pop_idle(login)
            if connection is not None:
                await share.acquire()  # neither has to wait
                await self._free.acquire()
                return self._lend(connection, login, share)
        self._waiting += 1
        try:
            async with asyncio.timeout(wait_seconds), AsyncExitStack() as room:
                await room.enter_async_context(share)
                await room.enter_async_context(self._free)
                connection = self._pop_idle(login) or await self._connect(login)
                room.pop_all()  # kept until it is given back
        finally:
            self._waiting -= 1
        return self._lend(connection, login, share)

    def give_back(self, connection: Connection) -> None:
        """Make a taken connection free for others; a closed one makes room for a new one."""
        login, share = self._lent.pop(connection)
        if not connection.is_closed():
            self._idle.append((login, connection))
        self._free.release()
        share.release()

    async def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            _, connection = self._idle.pop()
            await connection.close()

    def _share_of(self, holder: str | None) -> asyncio.Semaphore:
        """Find what bounds a key; it lives as long as somebody holds or waits for a connection."""
        if holder is None:
            return self._anybody
        share = self._shares.get(holder)
        if share is None:
            share = asyncio.Semaphore(max(1, self._size // 2))
            self._shares[holder] = share
        return share

    def _lend(self, connection: Connection, login: str, share: asyncio.Semaphore) -> Connection:
        self._lent[connection] = (login, share)
        return connection

    def _pop_idle(self, login: str) -> "Connection | None":
        for place in range(len(self._idle) - 1, -1, -1):
            if self._idle[place][0] == login:
                _, connection = self._idle.pop(place)
                if not connection.is_closed():
                    return connection
        return None

    async def _connect(self, login: str) -> Connection:
        self._connecting += 1
        try:
            while len(self._lent) + self._connecting + len(self._idle) > self._size:
                _, oldest = self._idle.pop(0)
                oldest.terminate()  # a frozen server would answer no farewell
            return await asyncpg.connect(login, server_settings=_SERVER_SETTINGS)
        finally:
            self._connecting -= 1
