"""The passing of time, and of time as somebody says it passes."""

import httpx
import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from license_client import State
from license_client._clock import Reading
from license_client._decision import Decision, Lease, Terms
from license_client.policy import (
    Agreement,
    HighWater,
    Stored,
    is_record_due,
    mark_of,
    raised_high_water,
    state_of,
    time_of,
)
from license_client.testing.clock import DAY, HOUR, NOON, FixedClock
from license_client.testing.simulator import License, Request, Simulator, unreachable
from support.client_machine import Machine


def test_a_license_without_the_server_lasts_to_the_second(
    machine: Machine, server: Simulator
) -> None:
    client = machine.start()
    client.activate()
    server.switch = unreachable
    seen = {}
    for at in (DAY - 1, DAY, 14 * DAY - 1, 14 * DAY):
        machine.clock.advance(NOON + at - machine.clock.wall)
        seen[at] = client.status().state
    assert seen == {
        DAY - 1: State.ACTIVE,
        DAY: State.GRACE_OFFLINE,
        14 * DAY - 1: State.GRACE_OFFLINE,
        14 * DAY: State.OFFLINE_GRACE_EXCEEDED,
    }


def test_a_paid_license_ends_after_its_renewal_grace(
    machine: Machine, server: Simulator, license_: License
) -> None:
    server.change(license_, expires=NOON + DAY)
    client = machine.start()
    client.activate()
    machine.clock.advance(DAY)
    ended = client.status()
    assert (ended.state, ended.usable) == (State.GRACE_RENEWAL, True)
    assert ended.renewal_grace_until is not None
    machine.clock.advance(7 * DAY)
    expired = client.status()
    assert (expired.state, expired.code) == (State.EXPIRED, "EXPIRED")
    assert "Not confirmed by the server since 2027-01-15" in expired.message


def test_a_trial_ends_without_any_grace(
    machine: Machine, server: Simulator, license_: License
) -> None:
    server.change(license_, kind="trial", expires=NOON + DAY)
    client = machine.start()
    assert client.activate().state is State.TRIAL
    machine.clock.advance(DAY)
    assert client.status().state is State.TRIAL_EXPIRED


def test_setting_the_clock_back_gains_nothing_in_the_same_boot(
    machine: Machine, server: Simulator
) -> None:
    client = machine.start()
    client.activate()
    server.switch = unreachable
    machine.clock.advance(13 * DAY)
    machine.clock.turn(-30 * DAY)
    skewed = client.status()
    assert (skewed.state, skewed.warnings) == (State.GRACE_OFFLINE, ("CLOCK_SKEW",))
    assert "2026-12-29" in skewed.notices[0]
    assert "2027-01-28" in skewed.notices[0]
    machine.clock.advance(DAY)
    assert client.status().state is State.OFFLINE_GRACE_EXCEEDED


def test_setting_the_clock_back_and_starting_anew_gains_nothing(
    machine: Machine, server: Simulator
) -> None:
    client = machine.start()
    client.activate()
    server.switch = unreachable
    for _ in range(14 * 4):
        machine.clock.advance(6 * HOUR)
        client.status()
    machine.clock.turn(-30 * DAY)
    machine.clock.reboot()
    assert machine.start().status().state is State.OFFLINE_GRACE_EXCEEDED


def test_a_boot_with_a_dead_clock_runs_on_from_the_highest_time_known(
    machine: Machine, server: Simulator
) -> None:
    machine.start().activate()
    server.switch = unreachable
    machine.clock.reboot()
    machine.clock.wall = 0
    restarted = machine.start()
    assert restarted.status().usable
    machine.clock.advance(14 * DAY)
    assert restarted.status().state is State.OFFLINE_GRACE_EXCEEDED


def test_a_clock_that_starts_in_the_future_bricks_nobody(machine: Machine) -> None:
    machine.start().activate()
    machine.clock.reboot()
    machine.clock.turn(3_650 * DAY)
    assert machine.start().status().state is State.OFFLINE_GRACE_EXCEEDED
    machine.clock.turn(-3_650 * DAY)
    assert machine.start().status().state is State.ACTIVE


def test_one_answer_heals_a_clock_that_was_believed(machine: Machine, server: Simulator) -> None:
    machine.start().activate()
    machine.clock.reboot()
    machine.clock.turn(3_650 * DAY)
    client = machine.start()
    for _ in range(3):
        client.status()
        machine.clock.advance(HOUR)
    machine.clock.reboot()
    machine.clock.turn(-3_650 * DAY)
    assert not machine.start().status().usable  # recorded, though never by more than a day
    server.clock_shift = NOON - machine.clock.wall
    assert machine.start().validate().usable
    machine.clock.reboot()
    assert machine.start().status().usable


def test_an_answer_that_is_held_back_ages_from_its_question_on(
    machine: Machine, server: Simulator
) -> None:
    """A process can be stopped, or its machine put to sleep, between question and answer."""

    def late(simulator: Simulator, request: Request) -> httpx.Response:
        answer = simulator.answer(request)
        machine.clock.advance(14 * DAY)
        return answer

    server.switch = late
    assert machine.start().activate().state is State.OFFLINE_GRACE_EXCEEDED


def test_an_old_cache_that_is_put_back_is_only_as_good_as_its_time(machine: Machine) -> None:
    client = machine.start()
    client.activate()
    old = machine.cache.read_bytes()
    machine.clock.advance(20 * DAY)
    client.validate()
    machine.cache.write_bytes(old)
    assert machine.start().status().state is State.OFFLINE_GRACE_EXCEEDED


@pytest.mark.parametrize(("off", "warned"), [(-301, True), (-300, False), (300, False)])
def test_a_clock_that_is_off_is_told_of(machine: Machine, off: int, *, warned: bool) -> None:
    client = machine.start()
    client.activate()
    machine.clock.turn(off)
    assert ("CLOCK_SKEW" in client.status().warnings) is warned


def test_the_mark_is_recorded_hourly_and_not_at_every_look(machine: Machine) -> None:
    client = machine.start()
    client.activate()
    written = machine.cache.stat().st_mtime_ns
    machine.clock.advance(HOUR - 1)
    client.status()
    assert machine.cache.stat().st_mtime_ns == written
    machine.clock.advance(1)
    client.status()
    assert machine.cache.stat().st_mtime_ns != written


def test_two_clocks_agree_only_after_an_hour_side_by_side() -> None:
    clock = FixedClock()
    agreement = Agreement(clock.read())
    clock.advance(HOUR)
    assert agreement.after(clock.read()).holds(clock.read())
    clock.turn(301)
    agreement = agreement.after(clock.read())
    assert not agreement.holds(clock.read())
    clock.advance(HOUR)
    assert agreement.after(clock.read()).holds(clock.read())


def paid_lease() -> Decision:
    return Decision(
        version=1,
        issuer="",
        product="",
        license_id="lic_",
        issued_at=NOON,
        refresh_at=NOON,
        request="",
        instance_id="",
        key_binding="",
        owner_binding="",
        code="VALID",
        warnings=(),
        lease=Lease(NOON + DAY, NOON + 14 * DAY),
        terms=Terms("active", "paid", None, 0, (), {}),
        key_set_epoch=1,
    )


class Offline(RuleBasedStateMachine):
    """A machine that never goes online again, in the hands of somebody with a clock.

    However the wall clock is set and however often the machine is started anew: once it was up
    for the whole grace, or once the license had ended and an hour had passed to record that, no
    sequence of settings brings the license back.
    """

    def __init__(self) -> None:
        super().__init__()
        self.clock = FixedClock()
        now = self.clock.read()
        self.agreement = Agreement(now)
        self.stored = Stored(paid_lease(), mark_of(now), HighWater(NOON, mark_of(now)))
        self.uptime = 0  # seconds that really passed while a program was looking
        self.highest = NOON

    @rule(minutes=st.integers(1, 60))
    def live(self, minutes: int) -> None:
        self.clock.advance(minutes * 60)
        self.uptime += minutes * 60
        self.look()

    @rule(days=st.integers(1, 10))
    def live_long(self, days: int) -> None:
        for _ in range(days * 24):
            self.live(60)

    @rule(days=st.integers(-4_000, 4_000))
    def turn(self, days: int) -> None:
        self.clock.turn(days * DAY)
        self.look()

    @rule()
    def reboot(self) -> None:
        self.clock.reboot(0)
        self.agreement = Agreement(self.clock.read())
        self.look()

    def look(self) -> None:
        """Do what `status` does: record the time when that is due."""
        now = self.clock.read()
        self.agreement = self.agreement.after(now)
        raised = raised_high_water(self.stored, now, wall_agrees=self.agreement.holds(now))
        if is_record_due(self.stored, now, raised):
            self.stored = self.stored._replace(high_water=raised)

    @invariant()
    def no_time_is_ever_taken_back_from_what_was_recorded(self) -> None:
        high_water = self.stored.high_water
        assert high_water is not None
        assert high_water.at >= self.highest
        self.highest = high_water.at
        assert time_of(self.stored, self.clock.read()) >= min(self.highest, NOON)

    @invariant()
    def a_license_that_ended_stays_so(self) -> None:
        boots = self.clock.boot.count("+") + 1
        lived = self.uptime - boots * HOUR  # at most one unrecorded hour a boot
        if lived >= 14 * DAY:
            assert not state_of(self.stored, self.clock.read()).usable


Offline.TestCase.settings = hypothesis_settings(
    max_examples=60, stateful_step_count=30, deadline=None
)
TestNobodyRevivesALicenseByItsClock = Offline.TestCase


def test_a_boot_clock_that_went_back_counts_as_another_boot() -> None:
    stored = Stored(paid_lease(), mark_of(Reading(NOON, 5_000, "b")), None)
    assert time_of(stored, Reading(NOON + 20 * DAY, 4_000, "b")) == NOON + 20 * DAY


def test_an_unknown_boot_is_never_the_same() -> None:
    stored = Stored(paid_lease(), mark_of(Reading(NOON, 5_000, "")), None)
    assert time_of(stored, Reading(NOON + 20 * DAY, 5_000, "")) == NOON + 20 * DAY
