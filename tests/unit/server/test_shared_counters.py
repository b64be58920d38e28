"""Counters that several processes share, of which some do not answer."""

import asyncio

import pytest
import structlog

from license_server.errors import NotReady, RateLimited
from license_server.ports import ADMIN_FAILURES, Tally
from license_server.shared_counters import PAUSE_SECONDS, FailingOpen, InSteps, Watched
from license_server.throttle import BoundedMemory
from support.licensing import a_limiter

pytestmark = pytest.mark.anyio

WINDOW = 60


class Storage:
    """A storage that all processes reach while it is up."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.is_up = True
        self.asked = 0
        self.failures = 0
        self._counters = BoundedMemory(self.now)

    def now(self) -> float:
        return self.seconds

    async def add(self, key: str, window_seconds: int, cost: int) -> Tally:
        self.asked += 1
        if not self.is_up:
            raise NotReady("the storage does not answer")
        return await self._counters.add(key, window_seconds, cost)

    def watched(self) -> Watched:
        return Watched(self, self.now, self.count_failure)

    def count_failure(self) -> None:
        self.failures += 1

    def rarely(self) -> FailingOpen:
        """Return the counters of a process for rare events."""
        return FailingOpen(self.watched(), BoundedMemory(self.now))

    def often(self, step: int) -> InSteps:
        """Return the counters of a process for frequent events."""
        return InSteps(BoundedMemory(self.now), self.watched(), step)


async def test_what_one_process_counts_is_refused_by_another() -> None:
    storage = Storage()
    processes = [a_limiter(storage.rarely()) for _ in range(2)]

    for turn in range(10):
        await processes[turn % 2].hit(ADMIN_FAILURES, "a")

    for process in processes:
        with pytest.raises(RateLimited):
            await process.hit(ADMIN_FAILURES, "a")


async def test_while_the_storage_is_down_each_process_limits_alone() -> None:
    storage = Storage()
    storage.is_up = False
    process, other = a_limiter(storage.rarely()), a_limiter(storage.rarely())

    for _ in range(10):
        await process.hit(ADMIN_FAILURES, "a")

    with pytest.raises(RateLimited):
        await process.hit(ADMIN_FAILURES, "a")
    await other.hit(ADMIN_FAILURES, "a")


async def test_what_was_counted_before_a_failure_still_counts() -> None:
    storage = Storage()
    process = a_limiter(storage.rarely())
    for _ in range(9):
        await process.hit(ADMIN_FAILURES, "a")
    storage.is_up = False
    await process.hit(ADMIN_FAILURES, "a")

    with pytest.raises(RateLimited):
        await process.hit(ADMIN_FAILURES, "a")


async def test_a_storage_that_is_down_is_asked_once_a_pause_and_told_once() -> None:
    storage = Storage()
    storage.is_up = False
    process = storage.rarely()

    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            await asyncio.gather(*(process.add("a", WINDOW, 1) for _ in range(20)))
            storage.seconds += PAUSE_SECONDS
        down = storage.asked
        storage.is_up = True
        for _ in range(5):
            await process.add("a", WINDOW, 1)

    assert (down, storage.asked) == (20 + 1 + 1, 22 + 5)
    assert storage.failures == 22
    assert [line["event"] for line in lines] == [
        "ratelimit.storage_unreachable",
        "ratelimit.storage_back",
    ]


async def test_many_events_are_shared_in_steps() -> None:
    storage = Storage()
    process = storage.often(step=10)

    for _ in range(99):
        await process.add("a", WINDOW, 1)
    await process.close()

    assert storage.asked == 9
    assert (await storage.add("a", WINDOW, 0)).count == 90


async def test_a_process_learns_of_the_events_of_others_and_of_their_window() -> None:
    storage = Storage()
    one, two = storage.often(step=10), storage.often(step=10)

    for _ in range(57):
        await one.add("a", WINDOW, 1)
    await one.close()
    storage.seconds += 20
    for _ in range(13):
        await two.add("a", WINDOW, 1)
    await two.close()

    assert await two.add("a", WINDOW, 0) == Tally(50 + 13, 40)


async def test_an_event_may_be_worth_several_steps() -> None:
    storage = Storage()
    process = storage.often(step=3)

    await process.add("a", WINDOW, 10)
    await process.close()

    assert (await storage.add("a", WINDOW, 0)).count == 9
    assert (await process.add("a", WINDOW, 0)).count == 10


async def test_many_events_are_counted_here_while_the_storage_is_down() -> None:
    storage = Storage()
    storage.is_up = False
    process = storage.often(step=10)

    counts = [(await process.add("a", WINDOW, 1)).count for _ in range(100)]
    await process.close()

    assert counts == list(range(1, 101))
    assert storage.asked <= 10
