"""What is asked of the database as soon as it answers: at the start, or whenever it comes.

A service whose database is down starts all the same. What would have ended the start then ends
the process later, so that a login that may not serve never does for long.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import structlog

from db_api.errors import MigrationNeededError, NotReadyError
from db_api.settings import SettingsError

_PAUSE_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


class FirstContact:
    """One question, repeated until there is an answer.

    Args:
        require: asks; raises what ends a start.
        stop: ends the process in an orderly way.
    """

    def __init__(self, require: Callable[[], Awaitable[None]], stop: Callable[[], None]) -> None:
        self._require = require
        self._stop = stop
        self._refusal: SettingsError | None = None
        self._asking: asyncio.Task[None] | None = None

    async def meet(self) -> None:
        """Ask once, and go on asking in the background where nobody answers.

        Raises:
            MigrationNeededError: the tables are of another revision.
            SettingsError: this database may not be served so.
        """
        try:
            await self._require()
        except NotReadyError as error:
            _log.warning("database.unreachable", reason=str(error.__cause__))
            self._asking = asyncio.create_task(self._ask_on())

    def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()

    def require_accepted(self) -> None:
        """Raise what has ended the process."""
        if self._refusal is not None:
            raise self._refusal

    async def _ask_on(self) -> None:
        while self._refusal is None:
            await asyncio.sleep(_PAUSE_SECONDS)
            with suppress(NotReadyError, MigrationNeededError):
                try:
                    await self._require()
                except SettingsError as error:
                    self._refusal = error
                    _log.error("config.insecure", reason=str(error))
                    self._stop()
                return
