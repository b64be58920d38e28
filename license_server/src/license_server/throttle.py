"""How often things may happen: rules of the library `limits`, and counters in memory.

The library's own memory storage is not used: it counts by the wall clock (set back an hour, it
would lock everybody out for that hour), has no bound, and looks through all its entries at each
hit. Counters that several processes share are in `shared_counters`.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from types import MappingProxyType
from typing import Final

import structlog
from limits import RateLimitItem, parse

from license_server.errors import RateLimited
from license_server.ports import (
    ADMIN_FAILURES,
    EMAIL_MISMATCHES,
    MAILS_BY_SOURCE,
    MAILS_TO_ADDRESS,
    OWN_CHANGES,
    SIGN_INS,
    SIGN_INS_BY_SOURCE,
    Counters,
    Tally,
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
            SIGN_INS_BY_SOURCE: parse("30/minute"),
            OWN_CHANGES: parse("20/hour"),
            SIGN_INS: parse(
                "30/hour"
            ),  # of 10^6 codes; NIST SP 800-63B-4, 3.2.2 allows 100 in a row
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
        counters: of each rule, by its name.
    """

    def __init__(
        self, rules: Mapping[str, RateLimitItem], counters: Mapping[str, Counters]
    ) -> None:
        self._rules = {
            name: (item.amount, item.get_expiry(), counters[name]) for name, item in rules.items()
        }

    async def hit(self, rule: str, subject: str, cost: int = 1) -> None:
        """See `Throttle.hit`."""
        allowed, window_seconds, counters = self._rules[rule]
        tally = await counters.add(f"{rule}/{subject}", window_seconds, cost)
        before = tally.count - cost
        if before < allowed <= tally.count:  # a line a window: a flood must not fill the log
            _log.warning("ratelimit.hit", rule=rule)
        if before >= allowed:
            raise RateLimited(
                "too many requests: wait a while", retry_after_seconds=tally.seconds_left
            )


class BoundedMemory:
    """The `Counters` of one process, by a clock that nobody sets, and no more than fit.

    Args:
        now: a monotonic clock in seconds.
        max_counters: how many are kept.
    """

    def __init__(self, now: Callable[[], float], max_counters: int = _MAX_COUNTERS) -> None:
        self._now = now
        self._max_counters = max_counters
        self._counters: OrderedDict[str, tuple[int, float]] = OrderedDict()  # count, end of window

    async def add(self, key: str, window_seconds: int, cost: int) -> Tally:
        """See `Counters.add`; memory always answers."""
        now = self._now()
        count, ends_at = self._counters.get(key, (0, now))
        if ends_at <= now:
            self._counters.pop(key, None)
            count, ends_at = 0, now + window_seconds
        if cost:
            self._keep(key, count + cost, ends_at)
        return Tally(count + cost, ends_at - now)

    def put(self, key: str, tally: Tally) -> None:
        """Go on from what is known better elsewhere."""
        self._keep(key, tally.count, self._now() + tally.seconds_left)

    def _keep(self, key: str, count: int, ends_at: float) -> None:
        if key not in self._counters and len(self._counters) >= self._max_counters:
            self._counters.popitem(last=False)
        self._counters[key] = (count, ends_at)
