"""A license that is watched over: true without a call, told when it changes, stopped at once."""

import asyncio
import os
import queue
import threading
from collections.abc import Iterator

import pytest

from license_client import AsyncLicenseClient, LicenseClient, LicenseStatus, LicenseWatch, State
from license_client.aio import AsyncLicenseWatch
from license_client.testing.clock import DAY, HOUR
from license_client.testing.simulator import License, Simulator, unreachable
from support.client_machine import Machine
from support.switches import hanging

Changes = queue.SimpleQueue[tuple[State, State]]
PATIENCE_SECONDS = 60


class Watched:
    """A watch that looks all the time, and what it told."""

    def __init__(self, machine: Machine) -> None:
        self.changes: Changes = queue.SimpleQueue()
        self.watch = LicenseWatch(machine.start(), self.note, look_seconds=0.001)

    def note(self, before: LicenseStatus, after: LicenseStatus) -> None:
        self.changes.put((before.state, after.state))

    def next_change(self) -> tuple[State, State]:
        return self.changes.get(timeout=PATIENCE_SECONDS)


@pytest.fixture
def watched(machine: Machine) -> Iterator[Watched]:
    machine.start().activate()
    made = Watched(machine)
    yield made
    made.watch.stop()


def test_a_check_needs_no_call(watched: Watched) -> None:
    assert watched.watch.status.usable
    assert "status" in vars(watched.watch)


def test_a_revocation_arrives_with_the_next_refresh(
    watched: Watched, license_: License, server: Simulator
) -> None:
    server.change(license_, code="REVOKED")
    server.clock.advance(6 * HOUR)
    assert watched.next_change() == (State.ACTIVE, State.REVOKED)
    assert not watched.watch.status.usable


def test_time_alone_changes_it_while_the_server_is_away(
    watched: Watched, server: Simulator
) -> None:
    server.switch = unreachable
    server.clock.advance(DAY)
    assert watched.next_change() == (State.ACTIVE, State.GRACE_OFFLINE)
    server.clock.advance(13 * DAY)
    assert watched.next_change() == (State.GRACE_OFFLINE, State.OFFLINE_GRACE_EXCEEDED)


def test_a_renewal_opens_it_again_without_a_restart(
    watched: Watched, license_: License, server: Simulator
) -> None:
    server.change(license_, code="SUSPENDED")
    server.clock.advance(6 * HOUR)
    assert watched.next_change()[1] is State.SUSPENDED
    server.change(license_, code="VALID")
    server.clock.advance(300)
    assert watched.next_change() == (State.SUSPENDED, State.ACTIVE)


def test_what_another_process_learned_changes_it(
    watched: Watched, machine: Machine, license_: License, server: Simulator
) -> None:
    server.change(license_, code="REVOKED")
    machine.start().validate()
    assert watched.next_change() == (State.ACTIVE, State.REVOKED)


def test_a_refresh_that_changes_nothing_is_not_told(watched: Watched, server: Simulator) -> None:
    before = watched.watch.status
    server.clock.advance(6 * HOUR)
    while watched.watch.status.last_verified_at == before.last_verified_at:
        threading.Event().wait(0.001)
    assert watched.changes.empty()


def test_a_callback_that_fails_ends_no_watch(
    machine: Machine, license_: License, server: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    machine.start().activate()
    told: Changes = queue.SimpleQueue()

    def fail(before: LicenseStatus, after: LicenseStatus) -> None:
        told.put((before.state, after.state))
        raise ValueError("in the program")

    with LicenseWatch(machine.start(), fail, look_seconds=0.001):
        server.change(license_, code="REVOKED")
        server.clock.advance(6 * HOUR)
        assert told.get(timeout=PATIENCE_SECONDS)[1] is State.REVOKED
        server.change(license_, code="VALID")
        server.clock.advance(300)
        assert told.get(timeout=PATIENCE_SECONDS)[1] is State.ACTIVE
    assert "on_change failed" in caplog.text


class FaultyOnce:
    """A client that meets a fault which nobody foresaw."""

    def __init__(self, client: LicenseClient) -> None:
        self.status = client.status
        self._client = client
        self._has_failed = False

    def refresh_if_due(self) -> LicenseStatus:
        if not self._has_failed:
            self._has_failed = True
            raise OSError("input/output error")
        return self._client.refresh_if_due()


def test_a_look_that_fails_is_not_the_last_one(
    machine: Machine, license_: License, server: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    machine.start().activate()
    server.change(license_, code="REVOKED")
    server.clock.advance(6 * HOUR)
    closed = threading.Event()
    with LicenseWatch(
        FaultyOnce(machine.start()), lambda _before, _after: closed.set(), look_seconds=0.001
    ) as watch:
        assert closed.wait(PATIENCE_SECONDS)
        assert not watch.status.usable
    assert "could not be looked at" in caplog.text


def test_stopping_waits_for_no_server_and_silences_it(
    watched: Watched, machine: Machine, server: Simulator
) -> None:
    reached, released = threading.Event(), threading.Event()
    server.switch = hanging(released, reached)
    server.clock.advance(6 * HOUR)
    assert reached.wait(PATIENCE_SECONDS)
    before = watched.watch.status
    watched.watch.stop()  # would never return if it waited: nothing was released yet
    machine.folder.joinpath("license.json").unlink()
    released.set()
    assert watched.watch.status is before
    assert watched.changes.empty()


# From Python 3.12 on a process with threads is warned of forking: this is what to do about it.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_it_works_on_in_a_forked_process(watched: Watched, server: Simulator) -> None:
    """As under `gunicorn --preload`, where the workers are forked from what is loaded."""
    child = os.fork()
    if child == 0:
        server.switch = unreachable
        server.clock.advance(15 * DAY)
        for _ in range(PATIENCE_SECONDS * 100):
            if not watched.watch.status.usable:
                os._exit(0)
            threading.Event().wait(0.01)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert watched.watch.status.usable


@pytest.mark.anyio
async def test_an_asyncio_program_has_a_task_that_does_it(
    machine: Machine, license_: License, server: Simulator
) -> None:
    machine.start().activate()
    told: asyncio.Queue[tuple[State, State]] = asyncio.Queue()

    def note(old: LicenseStatus, new: LicenseStatus) -> None:
        told.put_nowait((old.state, new.state))  # which only the loop's own thread may

    server.change(license_, code="REVOKED")
    server.clock.advance(6 * HOUR)
    async with await AsyncLicenseClient._over(machine.start()).watch(note) as watch:
        assert isinstance(watch, AsyncLicenseWatch)
        assert await told.get() == (State.ACTIVE, State.REVOKED)
        assert not watch.status.usable
