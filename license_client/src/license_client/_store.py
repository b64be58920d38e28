"""The cache file on disk: read without a lock, changed under one, whole at every moment.

A writer holds `license.lock` while it reads, merges and writes; it writes a temporary file of a
fixed name, so that a killed one leaves nothing behind but that, syncs it, renames it over the
old one and syncs the folder. A reader therefore sees the old file or the new one.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from license_client._cache import (
    MAX_BYTES,
    Document,
    KeyRing,
    Loaded,
    read_document,
    write_document,
)
from license_client._clock import Deadline
from license_client._platform import NO_LINKS, NO_WAITING, locked, restrict, sync_folder
from license_client.errors import CacheUnreadableError

FILE_NAME: Final = "license.json"
_CORRUPT: Final = "license.json.corrupt"
_TEMPORARY: Final = "license.json.tmp"
_LOCK: Final = "license.lock"
_REFRESH_LOCK: Final = "license.refresh.lock"
_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600
# Far above what a write takes; who waits longer meets a stopped process and runs from memory.
LOCK_SECONDS: Final = 2.0
GLANCE_SECONDS: Final = 0.2  # the same for a mere look, which can write the next time

# Inode, time of change in nanoseconds, size: a rename changes the first two.
Stamp: TypeAlias = tuple[int, int, int] | None


class Content(NamedTuple):
    """What the file held.

    Attributes:
        stamp: of the file.
        document: None when there is no file or it is unreadable.
        problem: why it is unreadable.
        outdated: the file should be sealed anew with the current key.
    """

    stamp: Stamp
    document: Document | None = None
    problem: CacheUnreadableError | None = None
    outdated: bool = False


# Gets what the file says, returns what it shall say; None leaves it as it is.
Change: TypeAlias = Callable[[Content], Document | None]


class Store:
    """The cache of one folder.

    Args:
        folder: made at the first write.
        keys: to seal and open the file with.
    """

    def __init__(self, folder: Path, keys: KeyRing) -> None:
        self.path = folder / FILE_NAME
        self._folder = folder
        self._keys = keys

    def stamp(self) -> Stamp:
        """Return what changes whenever the file does; one system call."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def load(self) -> Content:
        """Read the file; an unreadable one is kept once, as `.corrupt`, and counts as none."""
        stamp = self.stamp()  # first: what changes from here on is read again
        try:
            loaded = self._read()
        except FileNotFoundError:
            return Content(stamp)
        except CacheUnreadableError as problem:
            self._keep_corrupt()
            return Content(stamp, problem=problem)
        except OSError as error:
            self._keep_corrupt()
            return Content(stamp, problem=CacheUnreadableError(f"{self.path}: {error.strerror}"))
        return Content(stamp, loaded.document, outdated=loaded.outdated)

    def update(self, change: Change, wait_seconds: float = LOCK_SECONDS) -> Content:
        """Change the document under the lock and return what the file says afterwards.

        Args:
            change: what becomes of the document.
            wait_seconds: for the lock, which is tried once in any case.

        Raises:
            OSError: nothing could be written, or a stopped process holds the lock.
        """
        self._folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        with self._writing(wait_seconds):
            content = self.load()
            document = change(content)
            if document is None:
                return content
            self._write(write_document(document, self._keys))
            return Content(self.stamp(), document)

    def clear(self) -> bool:
        """Remove the file, the corrupt one too; return whether there was one.

        Raises:
            OSError: it cannot be removed, or a stopped process holds the lock.
        """
        if not self._folder.is_dir():
            return False
        with self._writing(LOCK_SECONDS):
            names = [name for name in (FILE_NAME, _CORRUPT) if (self._folder / name).exists()]
            for name in names:
                (self._folder / name).unlink()
            sync_folder(self._folder)
        return bool(names)

    @contextmanager
    def _writing(self, wait_seconds: float) -> Iterator[None]:
        with locked(self._folder / _LOCK, Deadline(wait_seconds)) as held:
            if not held:
                raise TimeoutError(f"{_LOCK} is held by another process")
            yield

    @contextmanager
    def refreshing(self, deadline: Deadline) -> Iterator[bool]:
        """Be the one that calls the server: the order of answers is the order of the calls.

        Yields:
            Whether this caller is the one. Where no lock file can be made nothing can be shared
            either, and every caller is.
        """
        with ExitStack() as stack:
            try:
                self._folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
                held = stack.enter_context(locked(self._folder / _REFRESH_LOCK, deadline))
            except OSError:
                held = True
            yield held

    def _read(self) -> Loaded:
        # without waiting: a pipe in the place of the file must not hold the program up
        flags = os.O_RDONLY | NO_WAITING
        with os.fdopen(os.open(self.path, flags), "rb") as file:
            return read_document(file.read(MAX_BYTES + 1), self._keys)

    def _keep_corrupt(self) -> None:
        # A second name for the same file, which stays in place for whoever has the right key
        # until it is replaced. The first one is kept: it is the one that somebody will look for.
        with suppress(OSError):
            (self._folder / _CORRUPT).hardlink_to(self.path)

    def _write(self, data: bytes) -> None:
        temporary = self._folder / _TEMPORARY
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | NO_LINKS
        with os.fdopen(os.open(temporary, flags, _FILE_MODE), "wb") as file:
            restrict(file.fileno(), _FILE_MODE)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)
        sync_folder(self._folder)
