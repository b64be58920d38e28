"""What each fault of a network costs a program: time to start, time of a call, memory.

The table of the tests, met by real programs with the deadlines that customers have.
"""

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import trustme

from license_client._clock import Deadline
from license_client._platform import locked
from support.client_machine import Machine
from support.client_network import serving
from support.faulted_programs import NOBODY, Program, machine_of_today, program, settings_of
from support.faults import FAULTS, Fault, on_loopback

_CALL_SECONDS: Final = 5.0  # as customers have it
_PATIENCE_SECONDS: Final = 60.0
_AIMS: Final = "aim: start <= 1 s, call <= 5.5 s, memory < 20 MB"


@dataclass(frozen=True, slots=True)
class Row:
    """What one fault costs.

    Attributes:
        start_seconds: until a program with a cache has its license, the process included.
        cached_seconds: of a call in a program with a license.
        uncached_seconds: of a start without a cache, which may take one call.
        grown_mb: by how much memory grew at its peak, in the dearer of the two.
    """

    name: str
    start_seconds: float
    cached_seconds: float
    uncached_seconds: float
    grown_mb: float

    def __str__(self) -> str:
        """Give the figures in one line."""
        return (
            f"  {self.name:<30} start {self.start_seconds:5.2f} s"
            f"   call {self.cached_seconds:5.2f} s"
            f"   no cache {self.uncached_seconds:5.2f} s   memory {self.grown_mb:+5.1f} MB"
        )


def measure(folder: Path) -> Iterator[str]:
    """Go through all faults and give a line for each, and the worst and the usual at the end."""
    authority = trustme.CA()
    machine = machine_of_today(authority, folder)
    with _licensed(machine, authority) as licensed:
        yield f"faults of the network ({_AIMS}); the first call loads {licensed.loaded_mb:.1f} MB"
        yield str(_row("none", partial(_honest, machine), authority, licensed))
        rows = []
        stopped: Fault = partial(_stopped_writer, machine)
        for name, fault in {**FAULTS, "a process stopped as it writes": stopped}.items():
            rows.append(_row(name, fault, authority, licensed))
            yield str(rows[-1])
    yield _summary("start with a cache", [row.start_seconds for row in rows])
    yield _summary("call with a cache", [row.cached_seconds for row in rows])
    yield _summary("start without one", [row.uncached_seconds for row in rows])
    yield f"  memory grew by at most {max(row.grown_mb for row in rows):.1f} MB"


@dataclass(frozen=True, slots=True)
class _Licensed:
    """A program that has called its license server before, and its machine."""

    machine: Machine
    program: Program
    loaded_mb: float


@contextmanager
def _licensed(machine: Machine, authority: trustme.CA) -> Iterator[_Licensed]:
    with serving(machine.simulator, on_loopback(authority)) as url:
        with program(settings_of(machine, url, _PATIENCE_SECONDS), _CALL_SECONDS) as activating:
            activating.tell("look")
        settings = settings_of(machine, url, _CALL_SECONDS)
        with program(settings, _CALL_SECONDS) as running:
            yield _Licensed(machine, running, running.tell("validate", url)["grown_mb"])


def _row(name: str, fault: Fault, authority: trustme.CA, licensed: _Licensed) -> Row:
    with fault(authority) as url:
        settings = settings_of(licensed.machine, url, _CALL_SECONDS)
        begun = time.perf_counter()
        with program(settings, _CALL_SECONDS):
            start_seconds = time.perf_counter() - begun
        cached = licensed.program.tell("validate", url)
        uncached = licensed.program.tell("start", url)
    grown_mb = max(cached["grown_mb"], uncached["grown_mb"])
    return Row(name, start_seconds, cached["seconds"], uncached["seconds"], grown_mb)


@contextmanager
def _honest(machine: Machine, authority: trustme.CA) -> Iterator[str]:
    with serving(machine.simulator, on_loopback(authority)) as url:
        yield url


@contextmanager
def _stopped_writer(machine: Machine, _: trustme.CA) -> Iterator[str]:
    with locked(machine.folder / "license.lock", Deadline(0)):
        yield NOBODY


def _summary(what: str, seconds: Sequence[float]) -> str:
    p99 = statistics.quantiles(seconds, n=100, method="inclusive")[98]
    return (
        f"  {what:<20} p50 {statistics.median(seconds):.2f} s, p99 {p99:.2f} s, "
        f"worst {max(seconds):.2f} s"
    )
