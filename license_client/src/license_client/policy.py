"""The client's state machine: what a stored decision is worth, and when to ask for the next one.

Nothing here touches a clock, a file or the network: `Reading` and the random numbers that spread
customers over time come in, values go out. The order of the rules is the contract's.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from license_client._clock import Reading
from license_client._decision import Decision

SKEW_SECONDS: Final = 300  # how far the wall clock may be off before anybody is told
RECORD_SECONDS: Final = 3_600  # the high-water mark is recorded hourly
_DAY_SECONDS: Final = 86_400
MARK_MARGIN_SECONDS: Final = _DAY_SECONDS  # how far past `grc` a mark may go
MIN_REFRESH_SECONDS: Final = 60
MAX_REFRESH_SECONDS: Final = 7 * _DAY_SECONDS
_UNUSABLE_SECONDS: Final = 300  # a purchase or renewal opens the gate within this
_FIRST_BACKOFF_SECONDS: Final = 60
_MAX_BACKOFF_SECONDS: Final = 3_600
_JITTER: Final = 0.1


class State(StrEnum):
    """What the license is worth now; the first four open the gate."""

    ACTIVE = "ACTIVE"
    TRIAL = "TRIAL"
    GRACE_OFFLINE = "GRACE_OFFLINE"
    GRACE_RENEWAL = "GRACE_RENEWAL"
    UNLICENSED = "UNLICENSED"
    EXPIRED = "EXPIRED"
    TRIAL_EXPIRED = "TRIAL_EXPIRED"
    OFFLINE_GRACE_EXCEEDED = "OFFLINE_GRACE_EXCEEDED"
    LICENSE_NOT_FOUND = "LICENSE_NOT_FOUND"
    EMAIL_MISMATCH = "EMAIL_MISMATCH"
    PRODUCT_MISMATCH = "PRODUCT_MISMATCH"
    SUSPENDED = "SUSPENDED"
    REVOKED = "REVOKED"
    NOT_YET_VALID = "NOT_YET_VALID"
    KEY_ROTATED = "KEY_ROTATED"
    DEPLOYMENT_LIMIT = "DEPLOYMENT_LIMIT"
    DEPLOYMENT_BLOCKED = "DEPLOYMENT_BLOCKED"
    CLIENT_TOO_OLD = "CLIENT_TOO_OLD"
    DEACTIVATED = "DEACTIVATED"

    @property
    def usable(self) -> bool:
        """Whether it opens the gate."""
        return self in _USABLE


_USABLE: Final = frozenset(
    {State.ACTIVE, State.TRIAL, State.GRACE_OFFLINE, State.GRACE_RENEWAL},
)


class Mark(NamedTuple):
    """A moment by the boot clock: a boot id ("" where unknown) and whole seconds since boot."""

    boot: str
    boottime: int

    def elapsed(self, now: Reading) -> int | None:
        """Return the seconds since; None in another boot, or when the boot clock went back."""
        same_boot = self.boot != "" and self.boot == now.boot and self.boottime <= now.boottime
        return now.boottime - self.boottime if same_boot else None


class HighWater(NamedTuple):
    """The highest time known: Unix seconds, and the moment at which that was recorded."""

    at: int
    mark: Mark


class Stored(NamedTuple):
    """A verified decision and what is known of the time since.

    Attributes:
        received: when it was asked for, by the boot clock; None for a license file, which nobody
            asked for: it may be old when it is installed, so that its age is not its time here.
        high_water: the highest time recorded since.
    """

    decision: Decision
    received: Mark | None
    high_water: HighWater | None


def mark_of(now: Reading) -> Mark:
    """Return this moment by the boot clock."""
    return Mark(now.boot, now.boottime)


def time_of(stored: Stored, now: Reading) -> int:
    """Return the time that the license lives in, in Unix seconds.

    In the boot that received the decision the wall clock is not asked at all.
    """
    decision, high_water = stored.decision, stored.high_water
    since_received = stored.received.elapsed(now) if stored.received else None
    if since_received is not None:
        return decision.issued_at + since_received
    times = [now.wall, decision.issued_at]
    if high_water:
        times.append(high_water.at + (high_water.mark.elapsed(now) or 0))
    return max(times)


def state_of(stored: Stored | None, now: Reading) -> State:
    """Return what the license is worth: the first rule that holds."""
    if stored is None:
        return State.UNLICENSED
    decision = stored.decision
    if decision.lease is None or decision.terms is None:
        return State(decision.code)
    time, lease = time_of(stored, now), decision.lease
    is_trial = decision.terms.kind == "trial"
    has_ended = _is_past(decision.terms.expires, time)
    rules = (
        (is_trial and has_ended, State.TRIAL_EXPIRED),
        (_is_past(renewal_grace_until(decision), time), State.EXPIRED),
        (time >= lease.grace_until, State.OFFLINE_GRACE_EXCEEDED),
        (has_ended, State.GRACE_RENEWAL),
        (time >= lease.fresh_until, State.GRACE_OFFLINE),
        (is_trial, State.TRIAL),
    )
    return next((state for holds, state in rules if holds), State.ACTIVE)


def _is_past(moment: int | None, time: int) -> bool:
    return moment is not None and time >= moment


def renewal_grace_until(decision: Decision) -> int | None:
    """Return the Unix second at which a paid license stops for want of a renewal, if any."""
    terms = decision.terms
    if terms is None or terms.expires is None or terms.kind != "paid":
        return None
    return terms.expires + terms.renewal_grace


def days_left(stored: Stored, now: Reading) -> int | None:
    """Return the days until license or trial end, begun ones included; None for a lifetime."""
    terms = stored.decision.terms
    if terms is None or terms.expires is None:
        return None
    return max(0, -((time_of(stored, now) - terms.expires) // _DAY_SECONDS))


def is_skewed(stored: Stored, now: Reading) -> bool:
    """Ask whether the wall clock is far enough off to tell somebody."""
    return abs(now.wall - time_of(stored, now)) > SKEW_SECONDS


class Agreement(NamedTuple):
    """Since when wall and boot clock have run side by side, as far as this process saw."""

    since: Reading

    def after(self, now: Reading) -> "Agreement":
        """Look again: start anew when the two have drifted apart."""
        wall, boottime = now.wall - self.since.wall, now.boottime - self.since.boottime
        return self if abs(wall - boottime) <= SKEW_SECONDS else Agreement(now)

    def holds(self, now: Reading) -> bool:
        """Ask whether they have agreed for the past hour."""
        return now.boottime - self.since.boottime >= RECORD_SECONDS


def raised_high_water(stored: Stored, now: Reading, *, wall_agrees: bool) -> HighWater | None:
    """Return the mark that a record made now leaves behind.

    A time that only the wall clock gives counts once wall and boot clock have agreed for an hour:
    a dead clock chip at start must not lock out a machine that never goes online. Nor may any
    mark go past `grc` by more than a day, so that one answer heals every mistake.
    """
    before, lease = stored.high_water, stored.decision.lease
    if lease is None:
        return before
    time = time_of(stored, now if wall_agrees else now._replace(wall=0))
    at = min(time, lease.grace_until + MARK_MARGIN_SECONDS)
    if before and at < before.at:
        return before
    return HighWater(at, mark_of(now))


def is_record_due(stored: Stored, now: Reading, raised: HighWater | None) -> bool:
    """Ask whether `raised` is worth a write: hourly, and at once in a new boot."""
    before = stored.high_water
    if raised is None or before is None or raised == before:
        return raised != before
    elapsed = before.mark.elapsed(now)
    if elapsed is None and now.boot:
        return True
    return max(elapsed or 0, raised.at - before.at) >= RECORD_SECONDS


def refresh_interval(decision: Decision) -> int:
    """Return after how many seconds the server wants to be asked again, within our bounds."""
    wanted = decision.refresh_at - decision.issued_at
    return min(max(wanted, MIN_REFRESH_SECONDS), MAX_REFRESH_SECONDS)


class Schedule(NamedTuple):
    """What a process knows of its attempts, in seconds of the boot clock, which nobody can set.

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


# Licenses are never deleted: for a key that was good these mean a fault of the server, such as a
# database from an old backup. A withdrawal is REVOKED, SUSPENDED or EXPIRED.
_FAULTS: Final = frozenset({"LICENSE_NOT_FOUND", "PRODUCT_MISMATCH"})


def contradicts(stored: Decision | None, answer: Decision) -> bool:
    """Ask whether an answer says what cannot be true of a key that we hold a yes for."""
    return stored is not None and stored.valid and answer.code in _FAULTS
