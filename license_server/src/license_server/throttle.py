"""How often things may happen: rules of the library `limits`, counted in this process's memory.

The library's own memory storage is not used: it counts by the wall clock (set back an hour, it
would lock everybody out for that hour), has no bound, and looks through all its entries at each
hit. Its storages for several processes fit `RateLimiter` as they are.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from types import MappingProxyType
from typing import Final

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import Storage

from license_server.errors import RateLimited
from license_server.ports import (
    ADMIN_FAILURES,
    EMAIL_MISMATCHES,
    MAILS_BY_SOURCE,
    MAILS_TO_ADDRESS,
)

REQUESTS: Final = "requests"
"""Rule: requests of one source."""

UNKNOWN_KEY_COST: Final = 10
"""As how many requests one counts whose key is of no license: who guesses keys is soon stopped,
while a customer may have any number of machines behind one address."""

_MAX_COUNTERS: Final = 65_536  # some 20 MB; beyond, the counter begun first is forgotten
_IPV6_SITE_BITS: Final = 64  # one customer has at least that many addresses (RFC 6177)

_log = structlog.get_logger(__name__)


def rules(requests_per_minute: int) -> Mapping[str, RateLimitItem]:
    """Return the rules by name."""
    return MappingProxyType(
        {
            REQUESTS: parse(f"{requests_per_minute}/minute"),
            MAILS_TO_ADDRESS: parse("3/day"),
            MAILS_BY_SOURCE: parse("20/hour"),
            ADMIN_FAILURES: parse("10/minute"),
            EMAIL_MISMATCHES: parse("10/hour"),  # contract, "Limits of abuse"
        }
    )


def source_of(address: str) -> str:
    """Return what an address counts as: an IPv6 address as the network of its site."""
    if ":" not in address:
        return address
    return str(ip_network(f"{address}/{_IPV6_SITE_BITS}", strict=False))


class RateLimiter:
    """The `Throttle` of the service and of the routes.

    Args:
        rules: by name.
        storage: counts in windows that begin with their first event.
        now: the clock of the storage, in seconds.
    """

    def __init__(
        self, rules: Mapping[str, RateLimitItem], storage: Storage, now: Callable[[], float]
    ) -> None:
        self._rules = rules
        self._storage = storage
        self._now = now

    async def hit(self, rule: str, subject: str, cost: int = 1) -> None:
        """Count one event, as `cost` of them.

        Raises:
            RateLimited: the rule allows no more of them now.
        """
        item = self._rules[rule]
        key = _key(rule, subject)
        count = await self._storage.incr(key, item.get_expiry(), cost)
        if count <= item.amount:
            return
        if count - cost <= item.amount:  # a line a window: a flood must not fill the log
            _log.warning("ratelimit.hit", rule=rule)
        raise RateLimited(
            "too many requests: wait a while", retry_after_seconds=await self._seconds_left(key)
        )

    async def is_exhausted(self, rule: str, subject: str) -> float | None:
        """Return after how many seconds the next event is allowed; None = it is now."""
        key = _key(rule, subject)
        if await self._storage.get(key) < self._rules[rule].amount:
            return None
        return await self._seconds_left(key)

    async def _seconds_left(self, key: str) -> float:
        return await self._storage.get_expiry(key) - self._now()


def _key(rule: str, subject: str) -> str:
    return f"{rule}/{subject}"


class BoundedMemory(Storage):
    """Counters of one process, by a clock that nobody sets, and no more than fit.

    Args:
        now: a monotonic clock in seconds.
        max_counters: how many are kept.
    """

    STORAGE_SCHEME = None  # made by hand, never from a URI

    def __init__(self, now: Callable[[], float], max_counters: int = _MAX_COUNTERS) -> None:
        super().__init__()
        self._now = now
        self._max_counters = max_counters
        self._counters: OrderedDict[str, tuple[int, float]] = OrderedDict()  # count, end of window

    @property
    def base_exceptions(self) -> type[Exception]:
        """Memory does not fail."""
        return ValueError

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count up, in the present window or a new one of `expiry` seconds."""
        now = self._now()
        count, ends_at = self._counters.get(key, (0, now))
        if ends_at <= now:
            self._counters.pop(key, None)
            count, ends_at = 0, now + expiry
            if len(self._counters) >= self._max_counters:
                self._counters.popitem(last=False)
        self._counters[key] = (count + amount, ends_at)
        return count + amount

    async def get(self, key: str) -> int:
        """Return the count of the present window."""
        count, ends_at = self._counters.get(key, (0, 0.0))
        return count if ends_at > self._now() else 0

    async def get_expiry(self, key: str) -> float:
        """Return when the present window ends."""
        return self._counters.get(key, (0, self._now()))[1]

    async def check(self) -> bool:
        """Tell that memory is there."""
        return True

    async def reset(self) -> int | None:
        """Forget everything, and return how many counters that were."""
        count = len(self._counters)
        self._counters.clear()
        return count

    async def clear(self, key: str) -> None:
        """Forget one counter."""
        self._counters.pop(key, None)
