"""Keeps the schema cache fresh while requests go on with what it holds.

Three things ask for a newer snapshot: a message (`listening`), a fingerprint of the catalogue
that differs from the last one, and a signal. None of them waits for it, at most one is read a
second, and a database that is away or frozen stops nothing: it is asked again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import structlog

from db_api.catalog.cache import Catalog

_log = structlog.get_logger(__name__)


class Ear(Protocol):
    """What hears of changes."""

    async def listen(self, begun: Callable[[], None]) -> None:
        """Listen until the connection is lost, as `Listener`."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often what is done, in seconds.

    Attributes:
        fingerprint: between two fingerprints.
        retry: after the first failure in a row; doubled for each further one.
        retry_at_most: after any number of failures.
    """

    fingerprint: float = 10
    retry: float = 0.5
    retry_at_most: float = 30

    def wait_seconds(self, failures: int) -> float:
        """Tell how long to wait after so many failures in a row, at least one."""
        return min(self.retry * 2.0 ** min(failures - 1, 16), self.retry_at_most)


class CatalogWatch:
    """Looks after the schema cache of one database.

    Args:
        catalog: the schema cache.
        fingerprint: reads the fingerprint of the same database.
        pace: how often.
    """

    def __init__(
        self, catalog: Catalog, fingerprint: Callable[[], Awaitable[str]], pace: Pace
    ) -> None:
        self._catalog = catalog
        self._fingerprint = fingerprint
        self._pace = pace
        self._wanted = asyncio.Event()

    def ask(self) -> None:
        """Ask for a snapshot of what is committed now, soon."""
        self._wanted.set()

    @asynccontextmanager
    async def running(self, ear: Ear) -> AsyncIterator[None]:
        """Look after it while the context is open; afterwards nobody reads it any more."""
        tasks = [
            asyncio.create_task(self._reload_when_asked()),
            asyncio.create_task(self._compare_fingerprints()),
            asyncio.create_task(self._listen(ear)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await self._catalog.close()

    async def _reload_when_asked(self) -> None:
        failures = 0
        while True:
            await self._wanted.wait()
            await asyncio.sleep(self._catalog.rest_seconds)
            self._wanted.clear()
            try:
                await self._catalog.reload()
            except Exception as error:  # noqa: BLE001 - a task's edge: it logs and goes on
                failures += 1
                self.ask()
                _log.warning("schema_cache.stale", reason=_reason(error))
                await asyncio.sleep(self._pace.wait_seconds(failures))
            else:
                failures = 0
                _log.info("schema_cache.reloaded")

    async def _compare_fingerprints(self) -> None:
        known = None
        while True:
            try:
                found = await self._fingerprint()
            except Exception as error:  # noqa: BLE001 - as above
                _log.debug("schema_cache.unknown", reason=_reason(error))
            else:
                if found != known:  # the first one too: nobody knows which one a snapshot had
                    self.ask()
                known = found
            await asyncio.sleep(self._pace.fingerprint)

    async def _listen(self, ear: Ear) -> None:
        failures = 0

        def begun() -> None:
            nonlocal failures
            failures = 0
            self.ask()  # what happened before was not heard
            _log.info("schema_cache.listening")

        while True:
            reason = "the connection was closed"
            try:
                await ear.listen(begun)
            except Exception as error:  # noqa: BLE001 - as above
                reason = _reason(error)
            failures += 1
            if failures == 1:  # afterwards it is no news
                _log.warning("schema_cache.deaf", reason=reason)
            await asyncio.sleep(self._pace.wait_seconds(failures))


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
