"""What the systems do differently: flags and modes of files, locks, forks, folders of a user.

Linux is what the tests run on. Windows lacks links that are not followed, modes, locks by `flock`
and folders that can be synced; there the user's profile folder keeps others out.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from weakref import WeakMethod

from license_client._clock import Deadline

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_BINARY: Final[int] = getattr(os, "O_BINARY", 0)
_OURS: Final[int] = getattr(os, "O_CLOEXEC", 0) | _BINARY
NO_LINKS: Final[int] = getattr(os, "O_NOFOLLOW", 0) | _OURS
NO_WAITING: Final[int] = getattr(os, "O_NONBLOCK", 0) | _OURS

_FOLDERS: Final = {
    "win32": ("AppData", "Local"),
    "darwin": ("Library", "Application Support"),
}
_FOLDER: Final = "license-data"
_OWNER_ONLY: Final = 0o600
_POLL_SECONDS: Final = 0.01


def default_cache_dir(product: str, platform: str = sys.platform) -> Path:
    """Return where the cache is kept unless somebody says otherwise.

    A service on Linux has a folder of its own, where it is a volume. Programs on a desktop are
    started from anywhere: there it is the user's folder for what programs keep.
    """
    if platform not in _FOLDERS:
        return Path(_FOLDER)
    return Path.home().joinpath(*_FOLDERS[platform], product, _FOLDER)


def restrict(handle: int, mode: int) -> None:
    """Give an open file its mode, whatever a leftover of that name had."""
    if sys.platform != "win32":
        os.fchmod(handle, mode)


def is_private(path: Path) -> bool:
    """Ask whether a file belongs to this user and is closed to all others."""
    if sys.platform != "win32":
        found = path.stat()
        return not found.st_mode & 0o077 and found.st_uid == os.geteuid()
    else:  # noqa: RET505 - a type checker reads one branch for each system
        return True


def sync_folder(folder: Path) -> None:
    """Have a rename in a folder survive a power cut."""
    if sys.platform != "win32":
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def locked(path: Path, deadline: Deadline) -> Iterator[bool]:
    """Hold the lock file at `path`, waiting for it until the deadline.

    The system frees it however a process ends. It is never removed: a lock file that goes and
    comes lets two processes hold "the" lock.

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
            _unlock(handle)
        os.close(handle)


def _acquire(handle: int, deadline: Deadline) -> bool:
    while not _try_lock(handle):
        if not deadline.remaining():
            return False
        deadline.pause(_POLL_SECONDS)
    return True


def _try_lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # as flock says it, and as Windows does
        return False
    return True


def _unlock(handle: int) -> None:
    if sys.platform == "win32":
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
    else:
        fcntl.flock(handle, fcntl.LOCK_UN)


def after_fork(renew: Callable[[], None]) -> None:
    """Have a bound method called in every child process, for as long as its object lives.

    A child has the objects of its parent, but none of its threads: without this, servers that
    load a program once and fork their workers (gunicorn --preload, uWSGI) would be left with
    locks that nobody frees and threads that are not there.
    """
    reference = WeakMethod(renew)

    def call() -> None:
        alive = reference()
        if alive is not None:
            alive()

    if hasattr(os, "register_at_fork"):  # there is no fork on Windows
        os.register_at_fork(after_in_child=call)
