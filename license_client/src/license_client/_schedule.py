"""When to ask the server next: what one process remembers of its own attempts.

Pure: the random numbers that spread customers over time are handed in. Everything is in seconds
of the boot clock, which nobody can set.
"""

from typing import Final, NamedTuple

from license_client._clock import Reading
from license_client.policy import Stored, refresh_interval, time_of

_UNUSABLE_SECONDS: Final = 300  # a purchase or renewal opens the gate within this
_FIRST_BACKOFF_SECONDS: Final = 60
_MAX_BACKOFF_SECONDS: Final = 3_600
_JITTER: Final = 0.1


class Schedule(NamedTuple):
    """What a process knows of its attempts.

    Attributes:
        spread: factor on the interval, from 0.9 to 1.1, drawn anew with each answer.
        failures: calls without a decision since the last one with.
        not_before: boot clock before which nothing is tried.
    """

    spread: float = 1.0
    failures: int = 0
    not_before: int = 0

    def after_failure(
        self, now: Reading, *, usable: bool, retry_after: int | None, chance: float
    ) -> "Schedule":
        """Go on after a call without a decision: back off with full jitter.

        Args:
            now: the clocks.
            usable: whether the program may run meanwhile.
            retry_after: seconds that the server asked for.
            chance: a random number of 0..1.
        """
        ceiling = min(_MAX_BACKOFF_SECONDS, _FIRST_BACKOFF_SECONDS * 2 ** min(self.failures, 10))
        wait = int(ceiling * chance) if usable else _UNUSABLE_SECONDS
        not_before = now.boottime + max(wait, retry_after or 0)
        return Schedule(self.spread, self.failures + 1, not_before)

    def seconds_left(self, stored: Stored | None, arrived_wall: int, now: Reading) -> int:
        """Return in how many seconds to ask; 0 for now.

        Args:
            stored: a decision that is usable; None asks as soon as an attempt is allowed.
            arrived_wall: what the wall clock said when the decision arrived.
            now: the clocks.
        """
        held_back = max(0, self.not_before - now.boottime)
        if stored is None:
            return held_back
        # Whichever comes first: a stopped wall clock must not end refreshing, nor a new boot.
        since = time_of(stored, now) - stored.decision.issued_at
        elapsed = max(since, now.wall - arrived_wall)
        interval = int(refresh_interval(stored.decision) * self.spread)
        return max(held_back, interval - elapsed, 0)


def after_answer(now: Reading, *, usable: bool, chance: float) -> Schedule:
    """Start over after a decision; `chance` is a random number of 0..1."""
    wait = 0 if usable else _UNUSABLE_SECONDS
    return Schedule(spread_of(chance), 0, now.boottime + wait)


def spread_of(chance: float) -> float:
    """Return the factor on the interval that belongs to a random number of 0..1."""
    return 1 - _JITTER + 2 * _JITTER * chance
