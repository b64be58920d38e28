import asyncio

import pytest

from db_api.catalog import Catalog, SchemaCache
from db_api.rest_errors import RestError
from support.schema_caches import make_schema_cache, make_table

pytestmark = pytest.mark.anyio

DOWN = RestError("PGRST001", "down")


class Reader:
    """Reads snapshots from memory; `None` in the list is a database that is down."""

    def __init__(self, *snapshots: SchemaCache | None) -> None:
        self.snapshots = list(snapshots)
        self.now = 100.0
        self.catalog = Catalog(self.read, lambda: self.now)

    async def read(self) -> SchemaCache:
        await asyncio.sleep(0)
        snapshot = self.snapshots.pop(0)
        if snapshot is None:
            raise DOWN
        return snapshot


EMPTY = SchemaCache.empty()
FILLED = make_schema_cache(make_table("items", id="int4"))


async def test_all_who_wait_for_the_first_snapshot_share_its_failure() -> None:
    reader = Reader(None, FILLED)
    waiting = [reader.catalog.snapshot() for _ in range(5)]
    assert await asyncio.gather(*waiting, return_exceptions=True) == [DOWN] * 5
    assert await reader.catalog.snapshot() is FILLED


async def test_a_reload_that_fails_leaves_the_snapshot_in_use() -> None:
    reader = Reader(FILLED, None)
    await reader.catalog.snapshot()
    reader.now += 2
    with pytest.raises(RestError):
        await reader.catalog.reload()
    assert await reader.catalog.snapshot() is FILLED


async def test_a_miss_waits_for_the_reload_that_is_under_way() -> None:
    reader = Reader(EMPTY, FILLED)
    await reader.catalog.snapshot()
    reader.now += 2
    found = await asyncio.gather(*[reader.catalog.find("shop", "items") for _ in range(5)])
    assert [snapshot for snapshot, _ in found] == [FILLED] * 5


async def test_a_reload_does_not_trust_one_that_began_before_it() -> None:
    reader = Reader(EMPTY, FILLED)
    first = asyncio.create_task(reader.catalog.snapshot())
    await asyncio.sleep(0)
    assert await reader.catalog.reload() is FILLED
    await first


async def test_a_hit_reads_nothing() -> None:
    reader = Reader(FILLED)
    for _ in range(3):
        reader.now += 10
        _, table = await reader.catalog.find("shop", "items")
        assert table is not None


async def test_the_tables_of_an_unknown_schema_are_none() -> None:
    assert await Reader(FILLED).catalog.tables("nosuch") == ()
