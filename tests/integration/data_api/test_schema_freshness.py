"""What other sessions do to the schema becomes visible, on a real PostgreSQL."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest

from db_api.catalog import CatalogWatch, Listener, Pace
from db_api.catalog.listening import DeafError
from support.licensed import LicensedMachine
from support.management import Api, execute, running_api, service_environment
from support.servers import BIN, running
from support.shop import SERVICE, DataSide, opened_side
from support.tcp_forwarder import forwarding, free_port, through

pytestmark = pytest.mark.anyio

SELDOM = Pace(fingerprint=3600)
LISTENERS = "FROM pg_stat_activity WHERE application_name = 'db-api listener'"


class Ear:
    """A listener that tells when it has begun."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.begun = asyncio.Event()

    async def listen(self, begun: Callable[[], None]) -> None:
        def both() -> None:
            begun()
            self.begun.set()

        await self._listener.listen(both)


async def same() -> str:
    return "always the same"


@asynccontextmanager
async def listening_side(url: str) -> AsyncIterator[tuple[DataSide, Ear]]:
    """Open a data side that learns of changes by messages alone."""
    async with opened_side(url) as side:
        watch = CatalogWatch(side.catalog, same, SELDOM)
        ear = Ear(Listener(url, watch.ask))
        async with watch.running(ear):
            await ear.begun.wait()
            await settle(side, watch)
            yield side, ear


async def settle(side: DataSide, watch: CatalogWatch) -> None:
    while watch._wanted.is_set():
        side.now += 1
        await asyncio.sleep(0.01)
    await side.catalog.reload()
    side.now += 1


async def until_seen(client: httpx.AsyncClient, column: str) -> None:
    """Read rows, none of which names the column, until they have it."""
    while column not in (await client.get("/numbers?limit=1")).json()[0]:
        pass


@pytest.mark.parametrize(
    ("channel", "payload"), [("db_api", "reload schema"), ("pgrst", "reload schema"), ("pgrst", "")]
)
async def test_a_message_makes_a_change_visible(shop: str, channel: str, payload: str) -> None:
    async with listening_side(shop) as (side, _), side.client(SERVICE) as client:
        await execute(shop, "ALTER TABLE shop.numbers ADD told int")
        assert "told" not in (await client.get("/numbers?limit=1")).json()[0]
        await execute(shop, f"NOTIFY {channel}, '{payload}'")
        await until_seen(client, "told")


@pytest.mark.parametrize(
    ("channel", "payload"), [("db_api", ""), ("pgrst", "reload config"), ("pgrst_", "")]
)
async def test_other_messages_mean_nothing(shop: str, channel: str, payload: str) -> None:
    async with listening_side(shop) as (side, _):
        snapshot = await side.catalog.snapshot()
        await execute(shop, f"NOTIFY {channel}, '{payload}'; NOTIFY db_api, 'nothing'")
        await execute(shop, "SELECT 1")
        assert await side.catalog.snapshot() is snapshot


async def test_without_a_word_a_change_is_found_by_its_fingerprint(shop: str) -> None:
    async with opened_side(shop) as side, side.client(SERVICE) as client:
        watch = CatalogWatch(side.catalog, side.database.read_fingerprint, Pace(fingerprint=0.05))
        port = free_port()  # where nobody answers
        async with watch.running(Listener(through(shop, port), watch.ask)):
            await client.get("/numbers?limit=1")
            await execute(shop, "ALTER TABLE shop.numbers ADD silent int")
            await until_seen(client, "silent")


@pytest.mark.parametrize(
    ("ddl", "differs"),
    [
        ("ALTER TABLE shop.products ALTER stock SET DEFAULT 8", True),
        ("ALTER TABLE shop.products ALTER name DROP NOT NULL", True),
        ("ALTER TYPE shop.mood ADD VALUE 'calm'", True),
        ("ALTER DOMAIN shop.price SET DEFAULT 3", True),
        ("COMMENT ON COLUMN shop.products.name IS 'Another.'", True),
        ("CREATE OR REPLACE FUNCTION shop.leak() RETURNS text LANGUAGE sql AS 'SELECT 1'", True),
        ("ALTER TABLE shop.tags DROP CONSTRAINT tags_product_fkey", True),
        ("CREATE INDEX ON shop.tags (word)", True),
        ("GRANT SELECT (n) ON shop.numbers TO pg_monitor", True),
        ("CREATE TEMP TABLE passing (id int)", False),
        ("INSERT INTO shop.numbers VALUES (51)", False),
        ("VACUUM ANALYZE shop.numbers", False),
    ],
)
async def test_the_fingerprint_differs_with_the_schema_alone(
    shop: str,
    ddl: str,
    differs: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    connection = await asyncpg.connect(shop)
    async with opened_side(shop) as side:
        before = await side.database.read_fingerprint()
        await connection.execute(ddl)
        after = await side.database.read_fingerprint()
    await connection.close()
    assert (before != after) is differs
    assert re.fullmatch("[0-9a-f]{32}", after)


async def test_a_lost_listener_comes_back_and_misses_nothing(shop: str) -> None:
    async with listening_side(shop) as (side, ear), side.client(SERVICE) as client:
        ear.begun.clear()
        await execute(
            shop,
            "ALTER TABLE shop.numbers ADD missed int;"
            f" SELECT pg_terminate_backend(pid) {LISTENERS} AND datname = current_database()",
        )
        await ear.begun.wait()
        await until_seen(client, "missed")
        await execute(
            shop, "ALTER TABLE shop.numbers ADD later int; NOTIFY db_api, 'reload schema'"
        )
        await until_seen(client, "later")


async def test_behind_a_pooler_that_swallows_messages_there_is_no_listening(shop: str) -> None:
    port = free_port()
    notification = re.compile(rb"A.{8}db_api\0[^\0]*\0", re.DOTALL)

    def swallow(part: bytes) -> bytes:
        return notification.sub(b"", part)

    with forwarding(shop, port, alter=swallow):
        listener = Listener(through(shop, port), lambda: None)
        with pytest.raises(DeafError, match="pooler"):
            await listener.listen(lambda: pytest.fail("it hears nothing"))


async def test_a_silent_connection_is_asked_whether_it_is_alive_and_kept(shop: str) -> None:
    begun = asyncio.Event()
    listener = Listener(shop, lambda: None, pulse_seconds=0.01)
    listening = asyncio.create_task(listener.listen(begun.set))
    await begun.wait()
    connection = await asyncpg.connect(shop)
    asked = f"SELECT query = 'SELECT 1' {LISTENERS} AND datname = current_database()"
    while not await connection.fetchval(asked):
        assert not listening.done()
    await connection.close()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):  # some pulses later it still listens
            await asyncio.shield(listening)
    listening.cancel()


async def test_a_frozen_listener_holds_up_nobody(shop: str) -> None:
    async with listening_side(shop) as (side, _), side.client(SERVICE) as client:
        connection = await asyncpg.connect(shop)
        pid = await connection.fetchval(f"SELECT pid {LISTENERS} AND datname = current_database()")
        await connection.close()
        os.kill(pid, signal.SIGSTOP)
        try:
            assert (await client.get("/numbers?limit=1")).status_code == 200
            async with asyncio.timeout(10), listening_side(shop):
                pass
        finally:
            os.kill(pid, signal.SIGCONT)


async def test_no_request_fails_while_others_add_to_the_schema(shop: str) -> None:
    async with listening_side(shop) as (side, _), side.client(SERVICE) as client:
        done = asyncio.Event()

        async def read(query: str) -> set[int]:
            found = set()
            while not done.is_set():
                side.now += 1
                found.add((await client.get(query)).status_code)
            return found

        async def change() -> None:
            connection = await asyncpg.connect(shop)
            for number in range(15):
                await connection.execute(
                    f"ALTER TABLE shop.numbers ADD c{number} int; NOTIFY db_api, 'reload schema'"
                )
                await connection.execute(
                    f"CREATE TABLE shop.t{number} (); NOTIFY pgrst, 'reload schema'"
                )
            await connection.close()
            done.set()

        queries = ("/numbers?n=eq.1", "/numbers?select=n&limit=5", "/products?select=id,name")
        *statuses, _ = await asyncio.gather(*map(read, queries), change())
        assert statuses == [{200}] * 3


TABLE = "CREATE SCHEMA shop; CREATE TABLE shop.numbers (n int); INSERT INTO shop.numbers VALUES (1)"


async def test_reloading_on_request_shows_what_is_there_now(
    database_url: str, machine: LicensedMachine
) -> None:
    await execute(database_url, TABLE)
    async with running_api(database_url, machine) as (api, _):
        key = await api.new_key("shop", "anon")
        headers = {"apikey": key["key"]}
        await api.get("/rest/v1/numbers", headers=headers)
        await execute(database_url, "ALTER TABLE shop.numbers ADD asked int")

        refused = await api.post("/api/schema-cache/reload", headers=headers)
        answer = await api.post("/api/schema-cache/reload", auth=api.admin)
        rows = await api.get("/rest/v1/numbers", headers=headers)

    assert (refused.status_code, refused.json()["code"]) == (403, "DBAPI102")
    assert answer.json() == {
        "data": {"schemas": 1, "tables": 1},
        "message": "Schema cache reloaded",
    }
    assert rows.json() == [{"n": 1, "asked": None}]


async def test_a_schema_that_one_process_drops_is_gone_in_another(
    database_url: str, machine: LicensedMachine
) -> None:
    await execute(database_url, TABLE)
    async with (
        running_api(database_url, machine) as (one, _),
        running_api(database_url, machine) as (two, _),
    ):
        assert await tables(two) == ["numbers"]
        await one.delete("/api/schemas/shop?confirm=shop", auth=one.admin)
        while await tables(two):  # noqa: ASYNC110 - what another process sees is its own affair
            await asyncio.sleep(0)  # it answers from memory: let the rest of the loop live


async def tables(api: Api) -> list[str]:
    answer = await api.get("/api/tables?schema=shop", auth=api.admin)
    return [table["name"] for table in answer.json()["data"]]


def test_a_process_reloads_on_sighup_and_ends_with_0(
    database_url: str, machine: LicensedMachine
) -> None:
    environment = service_environment(database_url, machine)
    with running(BIN / "db-api", "serve", env=environment) as server:
        server.wait_for_event("schema_cache.listening")
        server.send(signal.SIGHUP)
        server.wait_for_event("schema_cache.reloaded")
        assert httpx.get(f"{server.url}/api/health").status_code == 200
        assert server.stop() == 0
