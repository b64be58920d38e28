"""Memory over the cache file: follows the file, and outlives it when the disk fails.

A program that runs must not stop because its disk is full, read-only or gone, or because a file
was damaged under it: what it knew before goes on from memory until the file is good again.
"""

import threading
from collections.abc import Callable
from functools import cached_property, partial
from typing import TypeAlias

from license_client._cache import Document
from license_client._clock import Reading
from license_client._placement import new_document
from license_client._platform import after_fork
from license_client._settings import Settings
from license_client._snapshot import Snapshot, take_snapshot
from license_client._store import GLANCE_SECONDS, LOCK_SECONDS, Content, Store

# Gets what is known, returns what shall be; None leaves it as it is.
Change: TypeAlias = Callable[[Snapshot], Document | None]


class Memory:
    """The newest verified state of one cache, shared by the threads of a process.

    Attributes:
        is_saved: whether all of it is in the file.
        saved_identity: the instance id that the file was last seen with.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._draft: Document | None = None  # what will stand in the place of an unreadable file
        self.is_saved = True
        self.saved_identity: str | None = None
        after_fork(self._free)

    def _free(self) -> None:
        """Drop a lock whose holder stayed in the parent process."""
        self._lock = threading.Lock()

    def look(self, now: Reading) -> Snapshot:
        """Return the state, read again if the file changed; otherwise one `stat`."""
        known = self._snapshot
        if known is not None and known.stamp == self._store.stamp():
            return known
        with self._lock:
            content = self._store.load()
            if content.outdated:
                content = self._seal_anew(content)
            self._snapshot = self._merge(content, now)
            return self._snapshot

    @cached_property
    def newborn(self) -> Document:
        """What a machine without a cache begins with: this process draws one id for it."""
        return new_document()

    def identify(self, now: Reading, wait_seconds: float = LOCK_SECONDS) -> Snapshot:
        """Give the machine its id, once, and return the state."""
        return self.update(
            lambda known: None if known.document else self.newborn, now, wait_seconds=wait_seconds
        )

    def update(
        self,
        change: Change,
        now: Reading,
        *,
        wait_seconds: float = LOCK_SECONDS,
        replaces_unreadable: bool = False,
    ) -> Snapshot:
        """Change the state, in the file if that is possible, and return it.

        Args:
            change: what becomes of what is known.
            now: the clocks.
            wait_seconds: for another process that writes.
            replaces_unreadable: whether this is worth more than a file that cannot be read. It may
                be sound, for a program that has the right encryption key or is newer.
        """
        known = self.look(now)
        with self._lock:
            try:
                change_file = partial(
                    self._change_file, change, now, replaces_unreadable=replaces_unreadable
                )
                content = self._store.update(change_file, wait_seconds)
                self.is_saved = True
                self._snapshot = self._merge(content, now)
            except OSError:
                document = change(known)
                if document is not None:
                    self.is_saved = False
                    content = Content(known.stamp, document)
                    self._snapshot = take_snapshot(self._settings, content, now)
            return self._snapshot or known

    def _change_file(
        self, change: Change, now: Reading, content: Content, *, replaces_unreadable: bool
    ) -> Document | None:
        merged = self._merge(content, now)
        document = change(merged)
        if content.problem is not None and not replaces_unreadable:
            self._draft = document or self._draft
            return None
        # What could not be written before goes along with the first write that can be.
        return merged.document if document is None and not self.is_saved else document

    def _merge(self, content: Content, now: Reading) -> Snapshot:
        """Follow the file, unless memory holds what the file lost or never got."""
        if content.problem is not None:
            content = content._replace(document=self._draft)
        known, found = self._snapshot, take_snapshot(self._settings, content, now)
        if content.document is not None:
            self.saved_identity = content.document.instance_id
        if known is None or known.stored is None or found.foreign:
            return found
        is_lost = found.stored is None and not found.is_given_up
        is_behind = not self.is_saved and (
            found.stored is None
            or found.stored.decision.issued_at <= known.stored.decision.issued_at
        )
        if not is_lost and not is_behind:
            return found
        kept = self._judge_again(known, found, now)
        if kept.stored is None:  # a newer key set has revoked what signed it
            return found
        self.is_saved = False
        return kept

    def _judge_again(self, known: Snapshot, found: Snapshot, now: Reading) -> Snapshot:
        """Return what is known, verified by the newer key set of the two."""
        document = known.document
        if document is not None and found.trust.current.epoch > known.trust.current.epoch:
            document = document._replace(key_sets=found.trust.documents)
        return take_snapshot(self._settings, Content(found.stamp, document), now)

    def _seal_anew(self, content: Content) -> Content:
        try:
            return self._store.update(lambda latest: latest.document, GLANCE_SECONDS)
        except OSError:
            return content
