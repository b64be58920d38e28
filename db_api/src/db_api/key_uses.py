"""When keys were last used, to the minute: collected in memory, written once a minute.

No request waits for it, and a crash loses the last minute at most.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from db_api.errors import DataApiError

INTERVAL_SECONDS: Final = 60.0


class KeyUses:
    """Collects which keys are used.

    Args:
        write: stores that keys, by their digests, were used at a time.
        utc_now: the wall clock.
        interval_seconds: between two writes.
    """

    def __init__(
        self,
        write: Callable[[Collection[bytes], datetime], Awaitable[None]],
        utc_now: Callable[[], datetime],
        interval_seconds: float = INTERVAL_SECONDS,
    ) -> None:
        self._write = write
        self._utc_now = utc_now
        self._interval_seconds = interval_seconds
        self._used: set[bytes] = set()

    def note(self, digest: bytes) -> None:
        """Take note of a use."""
        self._used.add(digest)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write what was noted while the context is open, and what is left at its end."""
        task = asyncio.create_task(self._write_regularly())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            await self._flush()

    async def _write_regularly(self) -> None:
        while True:
            await asyncio.sleep(self._interval_seconds)
            await self._flush()

    async def _flush(self) -> None:
        """Write what was noted, or keep it for the next time if the database does not answer."""
        used, self._used = self._used, set()
        if not used:
            return
        minute = self._utc_now().replace(second=0, microsecond=0)
        try:
            await self._write(used, minute)
        except DataApiError:
            self._used |= used
