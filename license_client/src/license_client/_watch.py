"""A license that keeps itself true in the background: its status is an attribute.

A thread looks every few seconds. That is a `stat` and a look at the clocks, unless a call to the
license server is due, so that the end of a term, an activation by another process or a machine
that wakes up show at once.
"""

import threading
from collections.abc import Callable
from typing import Final, Protocol, Self, TypeAlias

from license_client._platform import after_fork
from license_client._status import LicenseStatus

LOOK_SECONDS: Final = 3.0

# Gets the old status and the new one.
OnChange: TypeAlias = Callable[[LicenseStatus, LicenseStatus], None]


class License(Protocol):
    """Whatever knows a license by its newest status; a gate asks it at each request."""

    @property
    def status(self) -> LicenseStatus:
        """The license as it stands, without a call."""


class Refreshable(Protocol):
    """What a watch looks at; see `LicenseClient`."""

    def status(self) -> LicenseStatus:
        """Return the license as it stands now."""

    def refresh_if_due(self) -> LicenseStatus:
        """Ask the license server if that is due, and return the status."""


class LicenseWatch:
    """A license and the thread that watches over it; made by `LicenseClient.watch`.

    It works on in the children of a process that forks. The thread never holds up the end of a
    program.

    Args:
        client: knows the license.
        on_change: is told of changes.
        look_seconds: from one look to the next.

    Attributes:
        status: as of the last look, a few seconds ago at most.
    """

    def __init__(
        self,
        client: Refreshable,
        on_change: OnChange | None = None,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self.status = client.status()
        self._client = client
        self._on_change = on_change
        self._look_seconds = look_seconds
        self._start()
        after_fork(self._start_again)

    def look(self) -> LicenseStatus:
        """Look now instead of in a few seconds; a look under way is waited for."""
        with self._looking:
            status = self._client.refresh_if_due()
            if not self._stopped.is_set():
                before, self.status = self.status, status
                tell(self._on_change, before, status)
            return status

    def stop(self) -> None:
        """End the watch, without waiting for a call that is under way; `status` stays as it is."""
        self._stopped.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> None:
        self._stopped, self._looking = threading.Event(), threading.RLock()
        threading.Thread(
            target=self._run, args=(self._stopped,), name="license-watch", daemon=True
        ).start()

    def _start_again(self) -> None:
        if not self._stopped.is_set():
            self._start()

    def _run(self, stopped: threading.Event) -> None:
        while not stopped.is_set():
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - the edge of a thread, which has to look again
                log_exception("the license could not be looked at", error)
            stopped.wait(self._look_seconds)


def tell(on_change: OnChange | None, before: LicenseStatus, after: LicenseStatus) -> None:
    """Tell a program what has changed; its mistakes are logged, and end no watch."""
    if on_change is None or not is_change(before, after):
        return
    try:
        on_change(before, after)
    except Exception as error:  # noqa: BLE001 - not our code, and no reason to stop looking
        log_exception("on_change failed", error)


def log_exception(text: str, error: Exception) -> None:
    """Log what must not end a watch, with its traceback."""
    import logging  # noqa: PLC0415 - slow to import, and rarely needed

    logging.getLogger("license_client").error(text, exc_info=error)


def is_change(before: LicenseStatus, after: LicenseStatus) -> bool:
    """Ask whether two statuses differ in what a program decides by, not only in their times."""
    return _decisive(before) != _decisive(after)


def _decisive(status: LicenseStatus) -> LicenseStatus:
    return status._replace(
        message="",
        fresh_until=None,
        grace_until=None,
        last_verified_at=None,
        next_refresh_at=None,
        days_left=None,
        notices=(),
    )
