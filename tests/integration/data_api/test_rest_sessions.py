"""Transactions, timeouts and broken connections, on a real PostgreSQL."""

import asyncio
import os
import signal

import asyncpg
import pytest

from support.shop import ANON, SERVICE, Settings, opened_shop, opened_side

pytestmark = pytest.mark.anyio

OBJECT = {"Accept": "application/vnd.pgrst.object+json"}


async def test_every_transaction_has_its_own_settings(shared_shop: str) -> None:
    async with opened_shop(
        shared_shop, ANON, Settings(size=1, statement_timeout_ms=4_321)
    ) as client:
        session = (await client.get("/session", headers=OBJECT)).json()
    assert session == {
        "statement_timeout": "4321ms",
        "lock_timeout": "2s",
        "search_path": "shop",
        "timezone": "UTC",
        "read_only": "on",
        "check_interval": "2s",
        "leak": "",
        "locks": 0,
    }


async def test_what_a_function_sets_does_not_reach_the_next_request(shared_shop: str) -> None:
    async with opened_shop(shared_shop, settings=Settings(size=1)) as client:
        assert (await client.get("/leaking", headers=OBJECT)).json() == {"leaked": "lefttrue"}
        session = (await client.get("/session", headers=OBJECT)).json()
    assert (session["leak"], session["locks"]) == ("", 0)


async def test_what_a_committed_trigger_sets_does_not_reach_the_next_request(shop: str) -> None:
    connection = await asyncpg.connect(shop)
    await connection.execute(
        """
        CREATE FUNCTION shop.take_over() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            PERFORM set_config('role', 'pg_monitor', false);
            CREATE TEMP TABLE left_behind ();
            RETURN new;
        END $$;
        CREATE TABLE shop.taken (id int);
        CREATE TRIGGER take_over BEFORE INSERT ON shop.taken
            FOR EACH ROW EXECUTE FUNCTION shop.take_over();
        GRANT USAGE ON SCHEMA shop TO pg_monitor;
        GRANT ALL ON shop.taken TO pg_monitor;
        CREATE VIEW shop.who AS SELECT current_user = session_user AS is_itself,
            to_regclass('left_behind') IS NULL AS is_clean;
        """
    )
    await connection.close()
    async with opened_shop(shop, settings=Settings(size=1)) as client:
        assert (await client.post("/taken", json={"id": 1})).status_code == 201
        answer = await client.get("/who", headers=OBJECT)
    assert answer.json() == {"is_itself": True, "is_clean": True}


async def test_a_connection_whose_statements_were_deallocated_is_replaced(shop: str) -> None:
    connection = await asyncpg.connect(shop)
    await connection.execute(
        """
        CREATE FUNCTION shop.forget() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
            DEALLOCATE ALL;
            RETURN 1;
        END $$;
        CREATE VIEW shop.forgetful AS SELECT shop.forget() AS n;
        """
    )
    await connection.close()
    async with opened_shop(shop, settings=Settings(size=1)) as client:
        statuses = [
            (await client.get(path)).status_code
            for path in ("/numbers?n=eq.1", "/forgetful", "/numbers?n=eq.1", "/numbers?n=eq.1")
        ]
    assert statuses == [200, 200, 503, 200]


async def test_many_readers_share_few_connections(shared_shop: str) -> None:
    async with opened_shop(shared_shop, settings=Settings(size=2)) as client:
        answers = await asyncio.gather(*[client.get("/numbers?n=eq.7") for _ in range(40)])
    assert {answer.text for answer in answers} == {'[{"n":7}]'}


async def test_a_statement_that_takes_too_long_is_a_timeout(shared_shop: str) -> None:
    settings = Settings(size=1, statement_timeout_ms=100)
    async with opened_shop(shared_shop, settings=settings) as client:
        answer = await client.get("/slow")
        assert (answer.status_code, answer.json()["code"]) == (504, "57014")
        assert (await client.get("/numbers?n=eq.1")).status_code == 200


async def test_a_lock_that_is_not_had_in_time_is_worth_another_try(shop: str) -> None:
    connection = await asyncpg.connect(shop)
    async with (
        opened_shop(shop, settings=Settings(lock_timeout_ms=100)) as client,
        connection.transaction(),
    ):
        await client.get("/products")
        await connection.execute("LOCK TABLE shop.numbers IN ACCESS EXCLUSIVE MODE")
        answer = await client.get("/numbers")
    await connection.close()
    assert (answer.status_code, answer.json()["code"]) == (503, "55P03")
    assert answer.headers["Retry-After"] == "1"


async def test_a_frozen_backend_is_left_behind(shared_shop: str) -> None:
    settings = Settings(size=1, statement_timeout_ms=100)
    async with opened_shop(shared_shop, settings=settings) as client:
        pid = (await client.get("/backend", headers=OBJECT)).json()["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            answer = await client.get("/numbers?n=eq.1")
            assert (answer.status_code, answer.json()["code"]) == (504, "DBAPI402")
            again = await client.get("/backend", headers=OBJECT)
            assert again.json()["pid"] != pid
        finally:
            os.kill(pid, signal.SIGCONT)


async def test_a_killed_backend_is_replaced(shared_shop: str) -> None:
    async with opened_shop(shared_shop, settings=Settings(size=1)) as client:
        pid = (await client.get("/backend", headers=OBJECT)).json()["pid"]
        waiting = asyncio.create_task(client.get("/slow"))
        connection = await asyncpg.connect(shared_shop)
        while not await connection.fetchval(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid = $1 AND wait_event = 'PgSleep'",
            pid,
        ):
            pass
        await connection.close()
        answer = await waiting
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
        assert (await client.get("/numbers?n=eq.1")).status_code == 200


async def test_a_database_that_is_not_there_is_unavailable(shared_shop: str) -> None:
    async with opened_shop(f"{shared_shop}&port=1") as client:
        answer = await client.get("/numbers")
    assert (answer.status_code, answer.json()["code"]) == (503, "PGRST001")
    assert answer.headers["Retry-After"] == "1"


async def test_when_no_connection_is_free_in_time_the_client_is_sent_away(
    shared_shop: str,
) -> None:
    settings = Settings(size=1, wait_seconds=0.1, statement_timeout_ms=1_000)
    async with opened_shop(shared_shop, settings=settings) as client:
        await client.get("/numbers?n=eq.1")
        slow, refused = await asyncio.gather(client.get("/slow"), client.get("/numbers"))
        assert slow.status_code == 504
        assert (refused.status_code, refused.json()["code"]) == (503, "PGRST003")
        assert refused.headers["Retry-After"] == "1"
        assert (await client.get("/numbers?n=eq.1")).status_code == 200


async def test_a_cancelled_request_gives_its_connection_back(shared_shop: str) -> None:
    async with opened_shop(shared_shop, settings=Settings(size=1)) as client:
        await client.get("/numbers?n=eq.1")
        leaving = asyncio.create_task(client.get("/slow"))
        await asyncio.wait([leaving], timeout=0.05)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert (await client.get("/numbers?n=eq.1")).status_code == 200


@pytest.mark.parametrize(
    ("ddl", "query", "expected"),
    [
        ("ALTER TABLE numbers ADD m int DEFAULT 5", "/numbers?select=n,m&n=eq.1", {"n": 1, "m": 5}),
        ("ALTER TABLE numbers ADD m int", "/numbers?n=eq.1&m=is.null", {"n": 1, "m": None}),
        ("ALTER TABLE numbers RENAME n TO k", "/numbers?limit=1", {"k": 1}),
        ("ALTER TABLE numbers ALTER n TYPE text", "/numbers?n=eq.1", {"n": "1"}),
        ("ALTER TABLE numbers RENAME TO figures", "/figures?n=eq.1", {"n": 1}),
        ("CREATE TABLE news (id int); INSERT INTO news VALUES (1)", "/news", {"id": 1}),
        ("CREATE DOMAIN small AS int", "/numbers?select=n::small&limit=1", {"n": 1}),
    ],
)
async def test_a_changed_schema_is_seen_at_the_next_miss(
    shop: str, ddl: str, query: str, expected: dict[str, object]
) -> None:
    async with opened_side(shop) as side, side.client(SERVICE) as client:
        await client.get("/numbers?n=eq.1")
        await client.get("/numbers?limit=1")
        connection = await asyncpg.connect(shop)
        await connection.execute(f"SET search_path = shop; {ddl}")
        await connection.close()
        side.now += 1
        assert (await client.get(query)).json() == [expected]


async def test_a_result_type_that_changes_under_a_prepared_statement_does_no_harm(
    shop: str,
) -> None:
    async with opened_shop(shop, settings=Settings(size=1)) as client:
        await client.get("/numbers?n=eq.1")
        connection = await asyncpg.connect(shop)
        await connection.execute("ALTER TABLE shop.numbers ALTER n TYPE bigint")
        await connection.close()
        assert (await client.get("/numbers?n=eq.1")).json() == [{"n": 1}]


async def test_readers_go_on_while_the_schema_changes(shop: str) -> None:
    async with opened_side(shop) as side, side.client(SERVICE) as client:

        async def read() -> set[int]:
            found = set()
            for _ in range(30):
                side.now += 1
                found.add((await client.get("/numbers?n=eq.1")).status_code)
            return found

        async def change() -> None:
            connection = await asyncpg.connect(shop)
            for number in range(15):
                await connection.execute(f"ALTER TABLE shop.numbers ADD c{number} int")
                await connection.execute(f"ALTER TABLE shop.numbers DROP c{number}")
            await connection.close()

        *statuses, _ = await asyncio.gather(read(), read(), read(), change())
        assert statuses == [{200}] * 3
