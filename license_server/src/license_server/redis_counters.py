"""Counters of rate limits in Redis or Valkey, by the storage of the library `limits`.

Its client library is an extra of this package, `redis`, which is loaded only here.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final, cast

from limits.aio.storage import RedisStorage
from limits.errors import ConfigurationError as MissingLibrary
from limits.errors import StorageError

from license_server.errors import ConfigurationError, NotReady
from license_server.ports import Tally

if TYPE_CHECKING:
    from limits.aio.storage.redis.redispy import RedispyBridge

_TIMEOUT_SECONDS: Final = 5.0
_PREFIX: Final = "license-server"


class RedisCounters:
    """The `Counters` of a Redis.

    Args:
        storage: the library's.
        now: the wall clock, by which the library tells when a window ends.
    """

    def __init__(self, storage: RedisStorage, now: Callable[[], datetime]) -> None:
        self._storage = storage
        self._now = now

    async def add(self, key: str, window_seconds: int, cost: int) -> Tally:
        """See `Counters.add`."""
        try:
            if cost:
                count = await self._storage.incr(key, window_seconds, cost)
            else:
                count = await self._storage.get(key)
            ends_at = await self._storage.get_expiry(key)
        except (StorageError, OSError) as error:
            raise NotReady("the storage of rate limits does not answer") from error
        return Tally(count, max(0.0, ends_at - self._now().timestamp()))


@asynccontextmanager
async def redis_counters(uri: str, now: Callable[[], datetime]) -> AsyncIterator[RedisCounters]:
    """Yield the counters of a Redis; it is connected to when they are first asked.

    Args:
        uri: `redis://…`, `rediss://…` (TLS) or `valkey://…`.
        now: the wall clock.

    Raises:
        ConfigurationError: the client library is not installed.
    """
    scheme, _, rest = uri.partition("://")
    spoken = scheme.replace("valkey", "redis")  # one protocol, and one library for both
    try:
        storage = RedisStorage(
            f"async+{spoken}://{rest}",
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix=_PREFIX,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
        )
    except MissingLibrary as error:
        raise ConfigurationError(
            "RATE_LIMIT_STORAGE_URI: the client library of Redis is missing: install "
            "license-server[redis]"
        ) from error
    try:
        yield RedisCounters(storage, now)
    finally:
        await cast("RedispyBridge", storage.bridge).storage.aclose()
