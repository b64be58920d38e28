"""When the server is asked again, and when it is left alone."""

from license_client import OfflineError, State
from license_client._clock import Deadline, Reading
from license_client._platform import locked
from license_client.policy import Schedule, after_answer
from license_client.testing.clock import DAY, HOUR
from license_client.testing.simulator import License, Simulator, unreachable
from support.client_machine import Machine
from support.switches import claiming, saying

NOW = Reading(wall=1_800_000_000, boottime=1_000, boot="b")


def test_nothing_is_asked_before_it_is_due(machine: Machine, server: Simulator) -> None:
    client = machine.start()
    client.activate()
    machine.clock.advance(6 * HOUR - 1)
    client.refresh_if_due()
    assert len(server.requests) == 1
    machine.clock.advance(1)
    assert client.refresh_if_due().last_verified_at is not None
    assert [request.operation for request in server.requests] == ["activate", "validate"]


def test_the_status_tells_when_it_will_ask(machine: Machine) -> None:
    activated = machine.start().activate()
    assert activated.next_refresh_at is not None
    assert activated.last_verified_at is not None
    waiting = activated.next_refresh_at - activated.last_verified_at
    assert waiting.total_seconds() == 6 * HOUR


def test_customers_are_spread_by_ten_percent() -> None:
    assert after_answer(NOW, usable=True, chance=0.0).spread == 0.9
    assert after_answer(NOW, usable=True, chance=1.0).spread == 1.1


def test_a_wall_clock_that_is_ahead_asks_early_and_once(
    machine: Machine, server: Simulator
) -> None:
    client = machine.start()
    client.activate()
    machine.clock.turn(DAY)
    client.refresh_if_due()
    client.refresh_if_due()
    assert len(server.requests) == 2


def test_a_wall_clock_that_stands_still_does_not_end_refreshing(
    machine: Machine, server: Simulator
) -> None:
    machine.start().activate()
    machine.clock.turn(-DAY)
    machine.clock.reboot()
    client = machine.start()
    client.status()
    machine.clock.advance(6 * HOUR)
    machine.clock.turn(-6 * HOUR)
    client.refresh_if_due()
    assert len(server.requests) == 2


def test_a_server_cannot_ask_for_a_refresh_every_second_or_never(
    machine: Machine, server: Simulator
) -> None:
    server.refresh_seconds = 0
    client = machine.start()
    client.activate()
    machine.clock.advance(59)
    client.refresh_if_due()
    assert len(server.requests) == 1
    server.refresh_seconds, server.fresh_seconds = 8 * DAY, 10 * DAY
    client.validate()
    machine.clock.advance(7 * DAY)
    client.refresh_if_due()
    assert len(server.requests) == 3


def test_trouble_is_a_notice_and_no_error(machine: Machine, server: Simulator) -> None:
    client = machine.start()
    client.activate()
    machine.clock.advance(6 * HOUR)
    server.switch = unreachable
    status = client.refresh_if_due()
    assert status.state is State.ACTIVE
    assert "cannot be reached" in status.notices[-1]


def test_a_rejected_answer_is_a_notice_too(machine: Machine, server: Simulator) -> None:
    client = machine.start()
    client.activate()
    machine.clock.advance(6 * HOUR)
    server.switch = claiming(aud="other")
    assert "'audience'" in client.refresh_if_due().notices[-1]


def test_failures_are_backed_off_up_to_an_hour() -> None:
    schedule, waits = Schedule(), []
    for _ in range(8):
        schedule = schedule.after_failure(NOW, usable=True, retry_after=None, chance=1.0)
        waits.append(schedule.not_before - NOW.boottime)
    assert waits == [60, 120, 240, 480, 960, 1_920, 3_600, 3_600]


def test_the_back_off_has_full_jitter() -> None:
    schedule = Schedule().after_failure(NOW, usable=True, retry_after=None, chance=0.0)
    assert schedule.seconds_left(None, 0, NOW) == 0


def test_the_servers_own_wish_is_heeded(machine: Machine, server: Simulator) -> None:
    client = machine.start()
    client.activate()
    machine.clock.advance(6 * HOUR)
    server.switch = saying(503, b"{}", retry_after="1200")
    client.refresh_if_due()
    machine.clock.advance(1_199)
    client.refresh_if_due()
    assert len(server.requests) == 2
    machine.clock.advance(1)
    client.refresh_if_due()
    assert len(server.requests) == 3


def test_without_a_usable_license_it_asks_at_once_and_then_every_five_minutes(
    machine: Machine, server: Simulator, license_: License
) -> None:
    server.change(license_, code="EXPIRED")
    client = machine.start()
    assert client.refresh_if_due().state is State.EXPIRED
    machine.clock.advance(299)
    client.refresh_if_due()
    assert len(server.requests) == 1
    server.change(license_)
    machine.clock.advance(1)
    assert client.refresh_if_due().usable


def test_without_a_usable_license_an_outage_is_tried_every_five_minutes(
    machine: Machine, server: Simulator
) -> None:
    server.switch = unreachable
    client = machine.start()
    for _ in range(3):
        client.refresh_if_due()
        client.refresh_if_due()
        machine.clock.advance(300)
    assert len(server.requests) == 3


def test_one_of_two_programs_refreshes_and_the_other_follows(
    machine: Machine, server: Simulator
) -> None:
    first, second = machine.start(), machine.start()
    first.activate()
    second.status()
    machine.clock.advance(6 * HOUR)
    assert first.refresh_if_due() == second.refresh_if_due()
    assert len(server.requests) == 2


def test_a_refresh_is_skipped_while_another_program_asks(
    machine: Machine, server: Simulator
) -> None:
    client = machine.start()
    client.activate()
    machine.clock.advance(6 * HOUR)
    with locked(machine.folder / "license.refresh.lock", Deadline(0)) as held:
        assert held
        assert client.refresh_if_due().usable
    assert len(server.requests) == 1


def test_a_call_waits_for_another_programs_call_until_its_deadline(machine: Machine) -> None:
    machine.total_seconds = 0.05
    machine.start().status()
    machine.folder.mkdir(parents=True, exist_ok=True)
    with locked(machine.folder / "license.refresh.lock", Deadline(0)):
        try:
            machine.start().validate()
        except OfflineError as error:
            assert "another process" in str(error)  # noqa: PT017 - the lock is held around it
        else:
            raise AssertionError("it did not wait for its turn")


def test_a_process_that_is_stopped_while_it_writes_costs_a_call_its_file_and_no_more(
    machine: Machine, server: Simulator, license_: License
) -> None:
    machine.start().activate()
    server.change(license_, code="REVOKED")
    machine.total_seconds = 1.0
    client = machine.start()
    with locked(machine.folder / "license.lock", Deadline(0)) as held:
        assert held
        revoked = client.validate()
        assert any("cannot be written" in notice for notice in revoked.notices)
        assert client.status().state is revoked.state is State.REVOKED
    assert machine.start().status().usable
    client.validate()
    assert machine.start().status().state is State.REVOKED


def test_a_program_without_a_server_only_reads_its_cache(machine: Machine) -> None:
    machine.start().activate()
    machine.clock.advance(7 * HOUR)
    status = machine.start(server_url=None).refresh_if_due()
    assert status.usable
    assert status.next_refresh_at is None
