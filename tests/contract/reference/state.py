"""The client's state machine: a pure function of the cached decision, the marks and the clocks."""

from dataclasses import dataclass

from reference.encoding import JsonObject

USABLE = ("ACTIVE", "TRIAL", "GRACE_OFFLINE", "GRACE_RENEWAL")
SKEW_SECONDS = 300
HIGH_WATER_MARGIN = 86400  # seconds past `grc` that the high-water mark may reach


@dataclass(frozen=True)
class Mark:
    """A moment by the boot clock: boot id ("" where unknown) and whole seconds since boot."""

    boot: str
    boottime: int

    def elapsed(self, now: "Now") -> int | None:
        """Count the seconds since; None in another boot."""
        if not self.boot or self.boot != now.boot or now.boottime < self.boottime:
            return None
        return now.boottime - self.boottime


@dataclass(frozen=True)
class HighWater(Mark):
    """The highest time known, and the moment it was recorded."""

    at: int


@dataclass(frozen=True)
class Now:
    """The clocks as they stand."""

    wall: int
    boot: str
    boottime: int


@dataclass(frozen=True)
class Decision:
    """The claims that the state depends on."""

    val: bool
    code: str
    iat: int
    exp: int | None = None
    grc: int | None = None
    kind: str | None = None
    lex: int | None = None
    rgr: int | None = None


@dataclass(frozen=True)
class Cached:
    """What the cache holds of time."""

    decision: Decision
    received: Mark | None
    high_water: HighWater | None


def time_of(cached: Cached, now: Now) -> int:
    """Compute `t`, the time that the licence lives in."""
    since_received = cached.received.elapsed(now) if cached.received else None
    if since_received is not None:
        return cached.decision.iat + since_received
    times = [now.wall, cached.decision.iat]
    if mark := cached.high_water:
        times.append(mark.at + (mark.elapsed(now) or 0))
    return max(times)


def state_of(cached: Cached | None, now: Now) -> str:
    """Name the state."""
    if cached is None:
        return "UNLICENSED"
    if not cached.decision.val:
        return cached.decision.code
    return _state_of_yes(cached.decision, time_of(cached, now))


def _state_of_yes(decision: Decision, t: int) -> str:
    assert decision.exp is not None
    assert decision.grc is not None
    ended = decision.lex is not None and t >= decision.lex
    if decision.kind == "trial" and ended:
        return "TRIAL_EXPIRED"
    if ended and t >= (decision.lex or 0) + (decision.rgr or 0):
        return "EXPIRED"
    if t >= decision.grc:
        return "OFFLINE_GRACE_EXCEEDED"
    if ended:
        return "GRACE_RENEWAL"
    if t >= decision.exp:
        return "GRACE_OFFLINE"
    return "TRIAL" if decision.kind == "trial" else "ACTIVE"


def is_skewed(cached: Cached, now: Now) -> bool:
    """Tell whether the wall clock deserves the warning `CLOCK_SKEW`."""
    return abs(now.wall - time_of(cached, now)) > SKEW_SECONDS


def raised_high_water(cached: Cached, now: Now, *, wall_agrees: bool) -> HighWater | None:
    """Compute the mark that the hourly record leaves.

    Args:
        cached: What the cache holds.
        now: The clocks.
        wall_agrees: Whether wall and boot clock agreed within 300 s for the past hour.
    """
    before = cached.high_water
    if cached.decision.grc is None:
        return before
    without_wall = Now(wall=0, boot=now.boot, boottime=now.boottime)
    t = time_of(cached, now if wall_agrees else without_wall)
    at = min(t, cached.decision.grc + HIGH_WATER_MARGIN)
    if before and at < before.at:
        return before
    return HighWater(at=at, boot=now.boot, boottime=now.boottime)


def as_json(mark: Mark | None) -> JsonObject | None:
    """Write a mark as the cache does."""
    if isinstance(mark, HighWater):
        return {"at": mark.at, "boot": mark.boot, "boottime": mark.boottime}
    return {"boot": mark.boot, "boottime": mark.boottime} if mark else None
