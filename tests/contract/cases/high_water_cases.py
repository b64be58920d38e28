"""The `high_water` section of `state.json`: which mark the hourly record leaves."""

from dataclasses import asdict, replace

from cases.actors import DAY, HOUR, NOW
from cases.confirmed import Case
from cases.state_cases import (
    BOOT,
    BOOTTIME,
    GRC,
    HIGH_WATER,
    OTHER_BOOT,
    PAID,
    RECEIVED,
    described,
)
from reference.state import Cached, Decision, HighWater, Now, as_json, raised_high_water

FRESH = Cached(PAID, RECEIVED, HIGH_WATER)
TOP = GRC + DAY


def _case(name: str, cached: Cached, now: Now, *, wall_agrees: bool) -> Case:
    return {
        "name": name,
        "cached": described(cached),
        "now": asdict(now),
        "wall_agrees": wall_agrees,
        "recorded": as_json(raised_high_water(cached, now, wall_agrees=wall_agrees)),
    }


def cases() -> list[Case]:
    """List them."""
    hour = Now(NOW + HOUR, BOOT, BOOTTIME + HOUR)
    rebooted = Now(NOW + 3 * DAY, OTHER_BOOT, HOUR)
    behind = Now(NOW - DAY, OTHER_BOOT, HOUR)
    recorded = replace(FRESH, high_water=HighWater(BOOT, BOOTTIME + 2 * DAY, at=NOW + 2 * DAY))
    rerun = replace(FRESH, high_water=HighWater(OTHER_BOOT, 60, at=NOW + 2 * DAY))
    above = replace(FRESH, high_water=HighWater(BOOT, BOOTTIME, at=TOP + 5))
    no = Cached(Decision(val=False, code="REVOKED", iat=NOW), RECEIVED, HIGH_WATER)
    return [
        _case("an hour later in the same boot", FRESH, hour, wall_agrees=True),
        _case("the wall clock has no part in the same boot", FRESH, hour, wall_agrees=False),
        _case("another boot, wall clock agrees", FRESH, rebooted, wall_agrees=True),
        _case("another boot, wall clock not yet trusted", FRESH, rebooted, wall_agrees=False),
        _case("wall clock behind: marked again in this boot", recorded, behind, wall_agrees=True),
        _case("wall clock behind and not trusted", recorded, behind, wall_agrees=False),
        _case("boot clock raises a mark of this boot", rerun, behind, wall_agrees=False),
        _case("wall clock ten years ahead", FRESH, _ahead(3650), wall_agrees=True),
        _case("wall clock ten years ahead, not trusted", FRESH, _ahead(3650), wall_agrees=False),
        _case("one second below grc + 1 d", FRESH, _at(TOP - 1), wall_agrees=True),
        _case("grc + 1 d", FRESH, _at(TOP), wall_agrees=True),
        _case("one second above grc + 1 d", FRESH, _at(TOP + 1), wall_agrees=True),
        _case("same boot above grc + 1 d", FRESH, _elapsed(TOP + 1), wall_agrees=True),
        _case("a mark above grc + 1 d is not lowered", above, _at(TOP + 9), wall_agrees=True),
        _case("no mark yet", replace(FRESH, high_water=None), hour, wall_agrees=False),
        _case("a signed no raises nothing", no, hour, wall_agrees=True),
    ]


def _ahead(days: int) -> Now:
    return _at(NOW + days * DAY)


def _at(wall: int) -> Now:
    return Now(wall, OTHER_BOOT, HOUR)


def _elapsed(t: int) -> Now:
    return Now(NOW, BOOT, BOOTTIME + t - NOW)
