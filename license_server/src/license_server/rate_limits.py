"""The composition root of rate limits: from settings to rules and where they are counted."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from license_server.clock import utc_now
from license_server.ports import Counters
from license_server.redis_counters import redis_counters
from license_server.repository.database import Database
from license_server.repository.rate_counters import postgres_counters
from license_server.settings import IN_DATABASE, Settings
from license_server.shared_counters import FailingOpen, InSteps, Watched
from license_server.throttle import REQUESTS, BoundedMemory, RateLimiter, rules

_STEPS: Final = 20
"""In how many steps a source's requests are shared: what escapes is a step a process."""


def shared_counters(settings: Settings) -> AbstractAsyncContextManager[Counters]:
    """Return what opens the storage that `RATE_LIMIT_STORAGE_URI` names.

    Raises:
        ConfigurationError: when opened: its client library is not installed.
    """
    uri = settings.rate_limit_storage_uri
    if uri is None or uri.get_secret_value() == IN_DATABASE:
        return postgres_counters(Database.from_url(settings.database_url.get_secret_value()))
    return redis_counters(uri.get_secret_value(), utc_now)


@asynccontextmanager
async def open_limiter(
    settings: Settings, count_failure: Callable[[], None]
) -> AsyncIterator[RateLimiter]:
    """Yield the throttle of a process.

    Args:
        settings: say where it counts.
        count_failure: is told when a shared storage does not answer.

    Raises:
        ConfigurationError: the storage's client library is not installed.
    """
    known = rules(settings.requests_per_minute)
    memory = BoundedMemory(time.monotonic)
    if settings.rate_limit_storage_uri is None:
        yield RateLimiter(known, dict.fromkeys(known, memory))
        return
    async with shared_counters(settings) as counters:
        shared = Watched(counters, time.monotonic, count_failure)
        step = max(1, settings.requests_per_minute // _STEPS)
        requests = InSteps(memory, shared, step)
        rare = dict.fromkeys(known, FailingOpen(shared, memory))
        try:
            yield RateLimiter(known, {**rare, REQUESTS: requests})
        finally:
            await requests.close()
