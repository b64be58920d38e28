"""Real programs in front of every fault of a network: one with a license runs on, none gets one."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from support.client_machine import Machine
from support.client_network import misbehaving, serving
from support.faulted_programs import (
    NOBODY,
    Program,
    command_of,
    machine_of_today,
    program,
    settings_of,
)
from support.faults import FAULTS, WISHES, Fault, on_loopback, wishing

CALL_SECONDS = 1.0  # instead of 5: how a call ends is the same, and many a row waits for it


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def licensed(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine whose license is activated."""
    machine = machine_of_today(authority, tmp_path_factory.mktemp("licensed"))
    machine.start().activate()
    return machine


@pytest.fixture(scope="module")
def running(licensed: Machine) -> Iterator[Program]:
    """A program on that machine, which meets one fault after the other."""
    with program(settings_of(licensed, NOBODY, CALL_SECONDS), CALL_SECONDS) as started:
        yield started


def test_a_licensed_program_starts_without_the_means_to_reach_a_network(running: Program) -> None:
    """It can neither resolve a name nor connect before it has its answer, whatever is there."""
    assert (running.start["usable"], running.start["loaded"]) == (True, [])


# threats.md F1-F4
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_licensed_program_outlasts_it(
    running: Program, authority: trustme.CA, fault: Fault
) -> None:
    with fault(authority) as url:
        called = running.tell("validate", url)
        assert (called["error"], called["usable"], called["threads"]) == ("OFFLINE", True, 0)
        assert running.tell("look")["usable"] is True


# threats.md F5
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_it_licenses_nobody(running: Program, authority: trustme.CA, fault: Fault) -> None:
    with fault(authority) as url:
        started = running.tell("start", url)
    assert (started["usable"], started["code"], started["threads"]) == (False, "OFFLINE", 0)


@pytest.mark.parametrize("asked", WISHES)
def test_a_program_knows_for_how_long_to_leave_the_server_alone(
    running: Program, authority: trustme.CA, asked: bytes
) -> None:
    with wishing(asked)(authority) as url:
        assert running.tell("validate", url)["retry_after"] == WISHES[asked]


def test_a_program_without_a_license_ends_with_one_line_when_nobody_answers(
    authority: trustme.CA, tmp_path: Path
) -> None:
    done = subprocess.run(
        command_of(CALL_SECONDS),
        env=settings_of(machine_of_today(authority, tmp_path), NOBODY, 0.5),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.startswith("license: OFFLINE ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("answers", [True, False], ids=["an answer came", "nobody answered"])
def test_a_program_that_is_stopped_in_the_middle_of_a_call_goes_on(
    licensed: Machine, running: Program, authority: trustme.CA, *, answers: bool
) -> None:
    """As a container that is paused, or a laptop that is closed, until the deadline is over."""
    asked = threading.Event()
    stopped = threading.Event()

    def answer_late(connection: socket.socket, _: threading.Event) -> None:
        asked.set()
        stopped.wait()
        if answers:
            connection.sendall(b"HTTP/1.1 503 Busy\r\ncontent-length: 2\r\n\r\n{}")

    with misbehaving(answer_late, on_loopback(authority)) as url:
        running.say("validate", url)
        asked.wait()
        running.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, running.process.pid, os.WSTOPPED)
        stopped.set()
        time.sleep(1.5 * CALL_SECONDS)  # the deadline of a process that cannot say that it is over
        running.process.send_signal(signal.SIGCONT)
        called = running.hear()
    assert (called["error"], called["threads"]) == ("OFFLINE", 0)
    assert running.tell("look")["usable"] is True
    with serving(licensed.simulator, on_loopback(authority)) as url:
        assert running.tell("validate", url)["usable"] is True
