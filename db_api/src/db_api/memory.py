"""What the C library does with memory that Python has freed."""

import ctypes
import sys
from typing import Final

_M_MMAP_THRESHOLD: Final = -3  # mallopt(3)
_LARGE_BYTES: Final = 1024 * 1024


def return_large_blocks() -> None:
    """Give blocks of 1 MiB and more back to the system as soon as they are freed.

    glibc raises that bound by itself whenever a larger block is freed, and keeps what is below
    it: after the first logins, one Argon2id hash (19 MiB) for each thread that ever made one. A
    bound that was set stays. C libraries without `mallopt` return such blocks anyway.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
