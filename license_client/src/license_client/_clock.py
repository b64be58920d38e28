"""The only place of this package that reads a clock.

Everything that decides takes a `Reading`; tests hand in a clock that they turn themselves.
"""

import sys
import threading
import time
from pathlib import Path
from typing import Final, NamedTuple, Protocol

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class Reading(NamedTuple):
    """One look at the clocks of this machine.

    Attributes:
        wall: Unix seconds, as the machine believes; anybody may set it.
        boottime: seconds since boot, sleep included; nobody can set it.
        boot: id of this boot; "" where the system has none, which equals no other.
    """

    wall: int
    boottime: int
    boot: str


class Clock(Protocol):
    """What the client asks for the time."""

    def read(self) -> Reading:
        """Look at the clocks now."""
        ...


class SystemClock:
    """The clocks of this machine."""

    def __init__(self) -> None:
        self._boot = _read_boot_id()

    def read(self) -> Reading:
        """Look at the clocks now."""
        wall = int(time.time())  # noqa: TID251 - the one reading; all else is handed on from here
        return Reading(wall, _seconds_since_boot(), self._boot)


def _seconds_since_boot() -> int:
    """Return whole seconds; sleep counts where the system can tell (Linux, Windows)."""
    if sys.platform == "win32":
        return int(time.monotonic())
    else:  # noqa: RET505 - a type checker reads one branch for each system
        return int(time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)))


def _read_boot_id() -> str:
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


class Deadline:
    """A moment by which something must be over, whatever the wall clock does.

    Args:
        seconds: from now.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds that are left, never below zero."""
        return max(0.0, self._end - time.monotonic())

    def pause(self, seconds: float) -> None:
        """Wait for `seconds`, at most until the deadline.

        By a lock: `time.sleep` fails with an error where somebody plays with the clocks.
        """
        threading.Event().wait(min(seconds, self.remaining()))
