"""Lock files between processes: held by an open file, freed by the system however a process ends.

They are never removed: a lock file that goes and comes lets two processes hold "the" lock.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from license_client._clock import Deadline
from license_client._platform import NO_LINKS, try_lock, unlock

_OWNER_ONLY: Final = 0o600
_POLL_SECONDS: Final = 0.01


@contextmanager
def locked(path: Path, deadline: Deadline) -> Iterator[bool]:
    """Hold the lock file at `path`, waiting for it until the deadline.

    Each call opens the file anew, so that threads of one process exclude each other too. A link
    is not followed: in a folder that others may write to it would make files for them elsewhere.

    Yields:
        Whether it is held.

    Raises:
        OSError: the file can be neither made nor opened.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | NO_LINKS, _OWNER_ONLY)
    is_held = False
    try:
        is_held = _acquire(handle, deadline)
        yield is_held
    finally:
        # Closing is not enough: a process that was forked meanwhile has the file open as well.
        if is_held:
            unlock(handle)
        os.close(handle)


def _acquire(handle: int, deadline: Deadline) -> bool:
    while not try_lock(handle):
        if not deadline.remaining():
            return False
        deadline.pause(_POLL_SECONDS)
    return True
