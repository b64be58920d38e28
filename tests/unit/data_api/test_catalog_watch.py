import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from db_api.catalog import Catalog, CatalogWatch, Pace, SchemaCache
from db_api.hangup import calling_on_hangup
from db_api.rest_errors import RestError

pytestmark = pytest.mark.anyio

DOWN = RestError("PGRST001", "down")
AT_ONCE = Pace(fingerprint=0, retry=0, retry_at_most=0)


class World:
    """A database that is up or down, and an ear that hears when it is told to.

    Attributes:
        read: how many snapshots were read.
        listens: how often the ear was put to the door.
    """

    def __init__(self) -> None:
        self.up = True
        self.fingerprint = "one"
        self.read = 0
        self.tried = 0
        self.listens = 0
        self.now = 0.0
        self.lost = asyncio.Event()
        self.catalog = Catalog(self._read, self._monotonic_seconds)
        self.watch = CatalogWatch(self.catalog, self._fingerprint, AT_ONCE)

    def _monotonic_seconds(self) -> float:
        self.now += 1
        return self.now

    async def _read(self) -> SchemaCache:
        self.tried += 1
        await asyncio.sleep(0)
        if not self.up:
            raise DOWN
        self.read += 1
        return SchemaCache.empty()

    async def _fingerprint(self) -> str:
        if not self.up:
            raise DOWN
        return self.fingerprint

    async def listen(self, begun: Callable[[], None]) -> None:
        self.listens += 1
        begun()
        await self.lost.wait()
        self.lost.clear()

    async def settled(self) -> int:
        """Return how many snapshots were read once nothing is asked for any more."""
        before = -1
        while before != self.read:
            before = self.read
            for _ in range(20):
                await asyncio.sleep(0)
        return before


@asynccontextmanager
async def watched() -> AsyncIterator[World]:
    world = World()
    async with world.watch.running(world):
        yield world


async def until(question: Callable[[], bool]) -> None:
    while not question():  # noqa: ASYNC110 - many small things are asked of a world in memory
        await asyncio.sleep(0)


async def test_an_unchanged_fingerprint_asks_for_nothing() -> None:
    async with watched() as world:
        before = await world.settled()
        assert await world.settled() == before > 0


async def test_another_fingerprint_asks_for_a_snapshot() -> None:
    async with watched() as world:
        before = await world.settled()
        world.fingerprint = "two"
        await until(lambda: world.read > before)


async def test_a_failed_reload_is_tried_again_until_it_succeeds() -> None:
    async with watched() as world:
        before = await world.settled()
        world.up = False
        world.watch.ask()
        tried = world.tried
        await until(lambda: world.tried > tried + 3)
        assert world.read == before
        world.up = True
        await until(lambda: world.read > before)


async def test_after_each_reconnection_a_snapshot_is_read() -> None:
    async with watched() as world:
        before = await world.settled()
        world.lost.set()
        await until(lambda: world.listens == 2)
        await until(lambda: world.read > before)


async def test_many_messages_at_once_ask_for_one_snapshot() -> None:
    async with watched() as world:
        before = await world.settled()
        for _ in range(100):
            world.watch.ask()
        assert await world.settled() == before + 1


def test_failures_wait_longer_each_time_up_to_a_limit() -> None:
    waits = [Pace().wait_seconds(failures) for failures in (1, 2, 3, 10, 10_000)]
    assert waits == [0.5, 1, 2, 30, 30]


async def test_a_hangup_is_heard_while_somebody_listens() -> None:
    heard = asyncio.Event()
    with calling_on_hangup(heard.set):
        os.kill(os.getpid(), signal.SIGHUP)
        await heard.wait()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
