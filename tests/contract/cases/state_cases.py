"""`state.json`: what the client says at which time, and what it remembers of time."""

from dataclasses import asdict, replace

from cases.actors import DAY, HOUR, NOW
from cases.confirmed import Case, DisagreementError
from reference.decision import CODES
from reference.encoding import JsonObject
from reference.state import (
    USABLE,
    Cached,
    Decision,
    HighWater,
    Mark,
    Now,
    as_json,
    is_skewed,
    state_of,
    time_of,
)

OFFLINE, TOO_LONG = "GRACE_OFFLINE", "OFFLINE_GRACE_EXCEEDED"
BOOT, OTHER_BOOT = "3c0f9d5e-boot-one", "81b2e6aa-boot-two"
BOOTTIME = 5000  # of the moment when the decision was received
EXP, GRC = NOW + DAY, NOW + 14 * DAY
RGR = 7 * DAY
PAID = Decision(
    val=True, code="VALID", iat=NOW, exp=EXP, grc=GRC, kind="paid", lex=NOW + 365 * DAY, rgr=RGR
)
LIFETIME = replace(PAID, lex=None)
TRIAL = replace(PAID, kind="trial", lex=NOW + 5 * DAY, grc=NOW + 3 * DAY)
RECEIVED = Mark(BOOT, BOOTTIME)
HIGH_WATER = HighWater(BOOT, BOOTTIME, at=NOW)


def _cached(decision: Decision) -> Cached:
    return Cached(decision, RECEIVED, HIGH_WATER)


def _same_boot(elapsed: int, wall: int | None = None) -> Now:
    return Now(NOW + elapsed if wall is None else wall, BOOT, BOOTTIME + elapsed)


def _later_boot(wall: int, boottime: int = 30) -> Now:
    return Now(wall, OTHER_BOOT, boottime)


def _case(name: str, cached: Cached | None, now: Now, state: str) -> Case:
    if (found := state_of(cached, now)) != state:
        raise DisagreementError(f"{name}: expected {state}, the reference says {found}")
    return {
        "name": name,
        "cached": described(cached) if cached else None,
        "now": asdict(now),
        "state": state,
        "usable": state in USABLE,
        "t": time_of(cached, now) if cached else None,
        "clock_skew": is_skewed(cached, now) if cached else False,
    }


def described(cached: Cached) -> JsonObject:
    """Write what is cached in the vector file."""
    absent = ("exp", "grc", "kind", "lex", "rgr") if not cached.decision.val else ()
    claims = {name: value for name, value in asdict(cached.decision).items() if name not in absent}
    return {
        "decision": claims,
        "received": as_json(cached.received),
        "high_water": as_json(cached.high_water),
    }


def _around(name: str, decision: Decision, at: int, before: str, after: str) -> list[Case]:
    """Ask one second before, at, and one second after, by boot clock and by wall clock."""
    cases = []
    for offset, state in ((-1, before), (0, after), (1, after)):
        t = at + offset
        label = f"{name} {offset:+d} s" if offset else name
        cases += [
            _case(f"{label}, same boot", _cached(decision), _same_boot(t - NOW), state),
            _case(f"{label}, another boot", _cached(decision), _later_boot(t), state),
        ]
    return cases


def _boundaries() -> list[Case]:
    near = replace(PAID, lex=NOW + 2 * DAY)
    long_grace = replace(near, grc=NOW + 30 * DAY)
    trial = replace(TRIAL, grc=NOW + 5 * DAY)
    return [
        *_around("exp of a paid license", PAID, EXP, "ACTIVE", OFFLINE),
        *_around("grc of a paid license", PAID, GRC, OFFLINE, TOO_LONG),
        *_around("grc of a lifetime license", LIFETIME, GRC, OFFLINE, TOO_LONG),
        *_around("lex inside the offline grace", near, NOW + 2 * DAY, OFFLINE, "GRACE_RENEWAL"),
        *_around("lex + rgr", long_grace, NOW + 9 * DAY, "GRACE_RENEWAL", "EXPIRED"),
        *_around("exp of a trial", trial, EXP, "TRIAL", OFFLINE),
        *_around("grc of a trial", TRIAL, NOW + 3 * DAY, OFFLINE, TOO_LONG),
        *_around("lex of a trial", trial, NOW + 5 * DAY, OFFLINE, "TRIAL_EXPIRED"),
    ]


def _precedence() -> list[Case]:
    def at_once(name: str, decision: Decision, t: int, state: str) -> Case:
        return _case(name, _cached(decision), _same_boot(t - NOW), state)

    renewal_now = replace(PAID, lex=NOW - HOUR)
    return [
        _case("nothing cached", None, _same_boot(0), "UNLICENSED"),
        at_once("just received", PAID, NOW, "ACTIVE"),
        at_once("just received, for life", LIFETIME, NOW, "ACTIVE"),
        at_once("just received, a trial", TRIAL, NOW, "TRIAL"),
        at_once("renewal grace goes before fresh", renewal_now, NOW, "GRACE_RENEWAL"),
        at_once("renewal grace goes before stale", renewal_now, EXP, "GRACE_RENEWAL"),
        at_once(
            "the end of offline grace goes before renewal grace",
            replace(PAID, lex=GRC - 1),
            GRC,
            TOO_LONG,
        ),
        at_once(
            "expired goes before the end of offline grace",
            replace(PAID, lex=GRC - RGR),
            GRC,
            "EXPIRED",
        ),
        at_once(
            "the end of a trial goes before the end of offline grace",
            replace(TRIAL, lex=NOW + 3 * DAY),
            NOW + 3 * DAY,
            "TRIAL_EXPIRED",
        ),
        at_once("a trial has no renewal grace", TRIAL, NOW + 5 * DAY, "TRIAL_EXPIRED"),
        at_once("no renewal grace", replace(PAID, lex=NOW + 60, rgr=0), NOW + 60, "EXPIRED"),
        at_once(
            "a lifetime license never expires",
            replace(LIFETIME, grc=NOW + 400 * DAY, exp=NOW + 400 * DAY),
            NOW + 400 * DAY - 1,
            "ACTIVE",
        ),
        at_once(
            "nothing between exp and grc",
            replace(PAID, exp=GRC),
            GRC,
            TOO_LONG,
        ),
        *_refusals(),
    ]


def _refusals() -> list[Case]:
    codes = [code for code in CODES if code != "VALID"]
    return [
        _case(
            f"a signed {code} {at}",
            _cached(Decision(val=False, code=code, iat=NOW)),
            _same_boot(elapsed),
            code,
        )
        for code in codes
        for at, elapsed in (("at once", 0), ("ten years later", 3650 * DAY))
    ]


def _clocks() -> list[Case]:
    cached = _cached(PAID)
    unmarked = Cached(PAID, None, None)
    recorded = replace(cached, high_water=HighWater(BOOT, BOOTTIME + 2 * DAY, at=NOW + 2 * DAY))
    rerun = replace(cached, high_water=HighWater(OTHER_BOOT, 100, at=NOW + 2 * DAY))
    nowhere = Cached(PAID, Mark("", BOOTTIME), HighWater("", BOOTTIME, at=NOW))
    return [
        _case("wall clock back, same boot", cached, _same_boot(2 * DAY, NOW - 30 * DAY), OFFLINE),
        _case("wall clock ahead, same boot", cached, _same_boot(60, NOW + 3650 * DAY), "ACTIVE"),
        _case(
            "wall clock of 1970, same boot",
            cached,
            _same_boot(GRC - NOW, 0),
            TOO_LONG,
        ),
        _case("wall clock before iat, another boot", cached, _later_boot(NOW - DAY), "ACTIVE"),
        _case("wall clock back below the high water", recorded, _later_boot(NOW + HOUR), OFFLINE),
        _case("wall clock above the high water", recorded, _later_boot(GRC), TOO_LONG),
        _case(
            "boot clock runs on from a mark of this boot",
            rerun,
            Now(NOW - DAY, OTHER_BOOT, 100 + 12 * DAY),
            TOO_LONG,
        ),
        _case(
            "boot clock one second before that",
            rerun,
            Now(NOW - DAY, OTHER_BOOT, 100 + 12 * DAY - 1),
            OFFLINE,
        ),
        _case("boot clock of another boot", recorded, _later_boot(NOW, 10**7), OFFLINE),
        _case(
            "boot id unknown: the wall clock is asked",
            nowhere,
            Now(GRC, "", BOOTTIME + 1),
            TOO_LONG,
        ),
        _case("boot id unknown, wall clock back", nowhere, Now(0, "", BOOTTIME + GRC), "ACTIVE"),
        _case("same boot id, boot clock lower: another boot", cached, Now(EXP, BOOT, 30), OFFLINE),
        _case("no marks", unmarked, _later_boot(EXP), OFFLINE),
        _case("no marks, wall clock before iat", unmarked, _later_boot(NOW - 1), "ACTIVE"),
        *_skews(cached),
    ]


def _skews(cached: Cached) -> list[Case]:
    return [
        _case("wall clock 300 s ahead", cached, _same_boot(60, NOW + 360), "ACTIVE"),
        _case("wall clock 301 s ahead", cached, _same_boot(60, NOW + 361), "ACTIVE"),
        _case("wall clock 300 s behind", cached, _same_boot(60, NOW - 240), "ACTIVE"),
        _case("wall clock 301 s behind", cached, _same_boot(60, NOW - 241), "ACTIVE"),
        _case("wall clock 300 s below iat, another boot", cached, _later_boot(NOW - 300), "ACTIVE"),
        _case("wall clock 301 s below iat, another boot", cached, _later_boot(NOW - 301), "ACTIVE"),
    ]


def _files() -> list[Case]:
    """Ask about a license file: nobody received it online, so the wall clock is always asked."""
    ends = NOW + 90 * DAY
    filed = Cached(replace(PAID, exp=ends, grc=ends), None, HIGH_WATER)
    later = _later_boot(ends)
    return [
        _case("a file just installed", filed, _same_boot(0), "ACTIVE"),
        _case("a file of a trial", _file_of_trial(), _same_boot(0), "TRIAL"),
        _case("a file installed long after it was issued", filed, _same_boot(0, ends), TOO_LONG),
        _case("a file one second before its end", filed, _same_boot(1, ends - 1), "ACTIVE"),
        _case("a file at its end by the boot clock", filed, _same_boot(ends - NOW, 0), TOO_LONG),
        _case("a file, wall clock of 1970", filed, _same_boot(60, 0), "ACTIVE"),
        _case("a file at its end, another boot", filed, later, TOO_LONG),
        _case(
            "a file in renewal grace", _ending(filed, NOW + DAY), _same_boot(DAY), "GRACE_RENEWAL"
        ),
        _case(
            "a file, the license expired", _ending(filed, NOW + DAY), _same_boot(8 * DAY), "EXPIRED"
        ),
    ]


def _file_of_trial() -> Cached:
    return Cached(replace(TRIAL, exp=NOW + 3 * DAY, grc=NOW + 3 * DAY), None, HIGH_WATER)


def _ending(cached: Cached, lex: int) -> Cached:
    return replace(cached, decision=replace(cached.decision, lex=lex))


def cases() -> list[Case]:
    """List them."""
    return [*_precedence(), *_boundaries(), *_clocks(), *_files()]
