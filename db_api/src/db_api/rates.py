"""Token buckets: so many at once, so many a second after that, one bucket a name.

Not the library `limits`: it has no token bucket, its memory storage counts by the wall clock (a
clock set back an hour would lock every key for that hour) and starts a thread every 10 ms under
load.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

_MAX_BUCKETS: Final = 65_536  # about 10 MB; beyond, the longest unused is forgotten (and so full)


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something may happen.

    Attributes:
        per_second: tokens that come back a second.
        burst: tokens of a full bucket.
    """

    per_second: float
    burst: int


class TokenBuckets:
    """The buckets of one rule, by name (a key's prefix, an address).

    Args:
        rate: the rule.
        now: a monotonic clock in seconds.
    """

    def __init__(self, rate: Rate, now: Callable[[], float]) -> None:
        self._rate = rate
        self._now = now
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()  # tokens, read at

    def take(self, name: Hashable) -> int:
        """Take one token: 0 when there was one, else the whole seconds until there is."""
        tokens, now = self._level(name)
        if tokens < 1:
            return self._wait(tokens)
        self._buckets[name] = (tokens - 1, now)
        self._buckets.move_to_end(name)
        if len(self._buckets) > _MAX_BUCKETS:
            self._buckets.popitem(last=False)
        return 0

    def give_back(self, name: Hashable) -> None:
        """Undo a `take`."""
        tokens, now = self._level(name)
        self._buckets[name] = (min(self._rate.burst, tokens + 1), now)

    def wait_seconds(self, name: Hashable) -> int:
        """Return the whole seconds until a token is there, 0 for now; takes none."""
        tokens, _ = self._level(name)
        return 0 if tokens >= 1 else self._wait(tokens)

    def _level(self, name: Hashable) -> tuple[float, float]:
        now = self._now()
        tokens, read_at = self._buckets.get(name, (self._rate.burst, now))
        return min(self._rate.burst, tokens + (now - read_at) * self._rate.per_second), now

    def _wait(self, tokens: float) -> int:
        return math.ceil((1 - tokens) / self._rate.per_second)
