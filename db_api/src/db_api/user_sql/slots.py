"""How many statements of users run at once: a share for each login, and all together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from db_api.errors import SqlBusyError


class Slots:
    """Gives out slots.

    Args:
        size: statements at once; one login has at most half of them, rounded up.
        wait_seconds: how long a statement waits for its turn.
    """

    def __init__(self, size: int, wait_seconds: float) -> None:
        self._all = asyncio.Semaphore(size)
        self._share = (size + 1) // 2
        self._wait_seconds = wait_seconds
        self._by_login: dict[str, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def taken(self, login: str) -> AsyncIterator[None]:
        """Hold a slot.

        Args:
            login: any name of the login that the statement runs as.

        Raises:
            SqlBusyError: none became free in time.
        """
        own = self._by_login.setdefault(login, asyncio.Semaphore(self._share))
        try:
            async with asyncio.timeout(self._wait_seconds):
                await own.acquire()
                try:
                    await self._all.acquire()
                except BaseException:
                    own.release()
                    raise
        except TimeoutError:
            raise SqlBusyError(
                "Too many statements run at this moment.", hint="Try again in a moment."
            ) from None
        try:
            yield
        finally:
            self._all.release()
            own.release()
