"""What the systems do differently: flags and modes of files, locks, folders of a user.

Linux is what the tests run on. Windows lacks links that are not followed, modes, locks by `flock`
and folders that can be synced; there the user's profile folder keeps others out.
"""

import os
import sys
from pathlib import Path
from typing import Final

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


def try_lock(handle: int) -> bool:
    """Lock an open file against all others; return whether that could be done at once."""
    try:
        _lock(handle)
    except (BlockingIOError, PermissionError):  # as flock says it, and as Windows does
        return False
    return True


def unlock(handle: int) -> None:
    """Free an open file, in this process and in those that were forked from it."""
    if sys.platform == "win32":
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
    else:
        fcntl.flock(handle, fcntl.LOCK_UN)


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
