"""CPU of a server process a request, as a multiple of a bare uvicorn hello in the same round.

Requests a second and latencies are noise on a shared machine; the CPU that a request costs,
divided by what the least possible request costs at the same time, is not (within some 15 %).
"""

import asyncio
import os
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.load import drive

ROUNDS: Final = 9
WARM_UP_ROUNDS: Final = 1
REQUESTS_A_ROUND: Final = 1500
_DRAINED_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Target:
    """A running server process and the requests to send to it."""

    name: str
    pid: int
    port: int
    requests: Iterator[bytes]  # each round goes on where the one before ended
    at_most: float | None = None  # the figure aimed at, in multiples of the yardstick
    once: Sequence[bytes] = ()  # sent once, before anything is measured


@dataclass(frozen=True, slots=True)
class Figure:
    """What the rounds gave for one target."""

    name: str
    microseconds: float
    ratios: Sequence[float]
    at_most: float | None

    @property
    def median(self) -> float:
        """The median of the rounds' ratios."""
        return statistics.median(self.ratios)

    def __str__(self) -> str:
        """Give the median, the spread and the aim in one line."""
        aim = f"   aim <= {self.at_most:g}" if self.at_most else ""
        spread = f"{min(self.ratios):.1f}-{max(self.ratios):.1f}"
        return (
            f"{self.name:<38} {self.median:6.1f} B   spread {spread:<12}"
            f" {self.microseconds:7.0f} us{aim}"
        )


def measure(yardstick: Target, targets: Sequence[Target]) -> list[Figure]:
    """Run the rounds, targets interleaved, and divide each by the yardstick of its round."""
    order = [yardstick, *targets]
    for target in order:
        if target.once:
            asyncio.run(drive(target.port, iter(target.once), len(target.once)))
        _cost(target)  # warm up: plans, pools, caches
    rounds = [{target.name: _cost(target) for target in order} for _ in range(ROUNDS)]
    return [
        Figure(
            name=target.name,
            microseconds=statistics.median(costs[target.name] for costs in rounds) * 1e6,
            ratios=[costs[target.name] / costs[yardstick.name] for costs in rounds],
            at_most=target.at_most,
        )
        for target in order
    ]


def resident_megabytes(pid: int) -> float:
    """Return what a process holds in memory."""
    status = Path(f"/proc/{pid}/status").read_text().split("VmRSS:", 1)[1]
    return int(status.split()[0]) / 1024


def _cost(target: Target) -> float:
    before = cpu_seconds(target.pid)
    asyncio.run(drive(target.port, target.requests, REQUESTS_A_ROUND))
    return (_drained_cpu_seconds(target.pid) - before) / REQUESTS_A_ROUND


def _drained_cpu_seconds(pid: int) -> float:
    """Read the clock once the process has no work left in the background."""
    seconds = cpu_seconds(pid)
    while True:
        time.sleep(_DRAINED_SECONDS)
        later = cpu_seconds(pid)
        if later - seconds < 0.01 * _DRAINED_SECONDS:
            return later
        seconds = later


def cpu_seconds(pid: int) -> float:
    """Sum user and system time of all threads, in seconds; the kernel counts nanoseconds."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def load_average() -> str:
    """Say how busy the machine is, for the reader to judge the figures by."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
