"""Programs that run in front of a fault, from outside: see `support.faulted_program`."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trustme

from license_client.testing.clock import FixedClock
from license_client.testing.simulator import Simulator
from license_client.testing.vendor import Vendor
from support.client_commands import configured, environment_of
from support.client_machine import Machine, machine_of

NOBODY = "https://127.0.0.1:9"
TESTS = Path(__file__).parents[1]


def machine_of_today(authority: trustme.CA, folder: Path) -> Machine:
    """Make a machine with a license that is not activated yet, whose programs trust `authority`."""
    now = int(time.time())
    server = Simulator(FixedClock(now), Vendor(now=now))
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    return machine_of(server.sell(), server, folder / "license-data")


def settings_of(machine: Machine, url: str, wait_seconds: float) -> dict[str, str]:
    """Return the environment of a program on that machine, whose license server is at `url`."""
    (license_,) = machine.simulator.licenses.values()
    return {
        **configured(environment_of(machine), license_, url),
        "LICENSE_CA_FILE": str(machine.folder.with_name("ca.pem")),
        "LICENSE_START_WAIT": str(wait_seconds),
        "PYTHONPATH": str(TESTS),
    }


class Program:
    """A program that runs.

    Attributes:
        start: what it said when it had its license.
    """

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.start = self.hear()

    def tell(self, *words: str) -> dict[str, Any]:
        """Have it do something, and return what it says then."""
        self.say(*words)
        return self.hear()

    def say(self, *words: str) -> None:
        """Have it do something."""
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """Return the next that it says."""
        assert self.process.stdout is not None
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


def command_of(call_seconds: float, under: Sequence[str] = ()) -> list[str]:
    """Return how to run a program, `under` another one if one is given."""
    return [*under, sys.executable, "-m", "support.faulted_program", str(call_seconds)]


@contextmanager
def program(
    environ: Mapping[str, str], call_seconds: float, under: Sequence[str] = ()
) -> Iterator[Program]:
    """Run a program until it is left; it has to end well."""
    command = command_of(call_seconds, under)
    with subprocess.Popen(
        command,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Program(process)
    assert process.returncode == 0
