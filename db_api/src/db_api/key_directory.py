"""API keys by their digest, remembered for 4 s: a revocation holds in every process within 5 s."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from db_api.api_keys import ApiKey
from db_api.callers import Caller

_REMEMBERED_SECONDS: Final = 4


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A stored key, the caller that it makes, and until when both may be believed."""

    key: ApiKey
    caller: Caller
    until: float


class KeyDirectory:
    """What the database says about keys, asked once per key and 4 s.

    Args:
        find: looks a key up by its digest.
        now: a monotonic clock in seconds.
        note_use: takes note of each use of a key that exists.
    """

    def __init__(
        self,
        find: Callable[[bytes], Awaitable[ApiKey | None]],
        now: Callable[[], float],
        note_use: Callable[[bytes], None],
    ) -> None:
        self._find = find
        self._now = now
        self._note_use = note_use
        self._known: dict[bytes, KnownKey] = {}  # keys that exist, so as many as the table has
        self._asking: dict[bytes, asyncio.Task[KnownKey | None]] = {}

    def is_known(self, digest: bytes) -> bool:
        """Tell whether this process has seen the key exist, or is just looking for it."""
        return digest in self._known or digest in self._asking

    async def look_up(self, digest: bytes) -> KnownKey | None:
        """Find a key by the SHA-256 of its text, from memory where that is fresh.

        Raises:
            NotReadyError: the database does not answer.
        """
        known = self._known.get(digest)
        if known is None or self._now() >= known.until:
            known = await self._ask(digest)
        if known is None or not hmac.compare_digest(known.key.digest, digest):
            return None
        self._note_use(digest)
        return known

    async def _ask(self, digest: bytes) -> KnownKey | None:
        """Ask the database, once for all who wait for the same key."""
        task = self._asking.get(digest)
        if task is None:
            task = asyncio.create_task(self._read(digest))
            self._asking[digest] = task
            task.add_done_callback(lambda _: self._asking.pop(digest, None))
        return await asyncio.shield(task)

    async def _read(self, digest: bytes) -> KnownKey | None:
        until = self._now() + _REMEMBERED_SECONDS  # from before the question on
        key = await self._find(digest)
        if key is None:
            self._known.pop(digest, None)
            return None
        caller = Caller(schema=key.schema, kind=key.type.value, key_prefix=key.prefix)
        self._known[digest] = KnownKey(key, caller, until)
        return self._known[digest]
