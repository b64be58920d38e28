"""Counters that several processes share, and what to do while they do not answer.

A storage that is down must neither lock customers out nor let them wait: it has `DEADLINE_SECONDS`,
and after a failure it is not asked for `PAUSE_SECONDS`. Meanwhile each process counts alone.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from license_server.errors import NotReady
from license_server.ports import Counters, Tally
from license_server.throttle import BoundedMemory

DEADLINE_SECONDS: Final = 0.5
"""How long a request waits for the storage: longer than a busy machine's hiccup; our decision."""
PAUSE_SECONDS: Final = 5.0
"""How long the storage is left alone after a failure; our decision."""

_log = structlog.get_logger(__name__)


class Watched:
    """`Counters` elsewhere, asked with a deadline and, while they fail, only now and then.

    Args:
        counters: elsewhere; they give up by themselves after some seconds.
        now: a monotonic clock in seconds.
        count_failure: is told of each failure.
    """

    def __init__(
        self, counters: Counters, now: Callable[[], float], count_failure: Callable[[], None]
    ) -> None:
        self._counters = counters
        self._now = now
        self._count_failure = count_failure
        self._is_down = False
        self._asked_again_at = 0.0
        self._asking: set[asyncio.Task[Tally]] = set()

    async def add(self, key: str, window_seconds: int, cost: int) -> Tally:
        """See `Counters.add`."""
        if self._is_down:
            self._require_next_try()
        asking = asyncio.create_task(self._ask(key, window_seconds, cost))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                # not cancelled: a connection may take longer to be made, and then serves the next
                tally = await asyncio.shield(asking)
        except (NotReady, TimeoutError) as error:
            self._note_failure()
            raise NotReady("the storage of rate limits does not answer") from error
        if self._is_down:
            self._is_down = False
            _log.info("ratelimit.storage_back")
        return tally

    async def _ask(self, key: str, window_seconds: int, cost: int) -> Tally:
        return await self._counters.add(key, window_seconds, cost)

    def _require_next_try(self) -> None:
        """Let one through a pause: the others must not wait as well."""
        now = self._now()
        if now < self._asked_again_at:
            raise NotReady("the storage of rate limits did not answer")
        self._asked_again_at = now + PAUSE_SECONDS

    def _note_failure(self) -> None:
        self._count_failure()
        if not self._is_down:
            _log.warning("ratelimit.storage_unreachable")
        self._is_down = True
        self._asked_again_at = self._now() + PAUSE_SECONDS


class FailingOpen:
    """Shared `Counters`, and memory while they do not answer: for events that are rare.

    Memory goes on from what was last heard: who makes the storage fail gets no new start.

    Args:
        shared: raise `NotReady` while they do not answer.
        memory: of this process.
    """

    def __init__(self, shared: Counters, memory: BoundedMemory) -> None:
        self._shared = shared
        self._memory = memory

    async def add(self, key: str, window_seconds: int, cost: int) -> Tally:
        """See `Counters.add`; one of the two always answers."""
        try:
            tally = await self._shared.add(key, window_seconds, cost)
        except NotReady:
            return await self._memory.add(key, window_seconds, cost)
        if cost:
            self._memory.put(key, tally)
        return tally


class InSteps:
    """`Counters` in memory that are shared in steps: for events so many that each must be cheap.

    A counter that crosses a multiple of `step` here tells the others so, behind the back of the
    request, and learns how far it has come everywhere. Whoever stays below costs nothing, and
    what is not shared yet is less than a step a process.

    Args:
        memory: of this process.
        shared: raise `NotReady` while they do not answer.
        step: at least 1, the same in all processes.
    """

    def __init__(self, memory: BoundedMemory, shared: Counters, step: int) -> None:
        self._memory = memory
        self._shared = shared
        self._step = step
        self._exchanges: set[asyncio.Task[None]] = set()

    async def add(self, key: str, window_seconds: int, cost: int) -> Tally:
        """See `Counters.add`; memory always answers."""
        tally = await self._memory.add(key, window_seconds, cost)
        steps = tally.count // self._step - (tally.count - cost) // self._step
        if steps:
            exchange = self._exchange(key, window_seconds, steps * self._step)
            task = asyncio.create_task(exchange)
            self._exchanges.add(task)
            task.add_done_callback(self._exchanges.discard)
        return tally

    async def close(self) -> None:
        """Share what is under way."""
        await asyncio.gather(*self._exchanges)

    async def _exchange(self, key: str, window_seconds: int, amount: int) -> None:
        try:
            everywhere = await self._shared.add(key, window_seconds, amount)
        except NotReady:
            return
        here = await self._memory.add(key, window_seconds, 0)
        unshared = here.count % self._step  # all that is shared is whole steps
        self._memory.put(key, Tally(everywhere.count + unshared, everywhere.seconds_left))
