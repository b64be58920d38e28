"""Updates and removals through the routes, on a real PostgreSQL."""

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from db_api.grammar.preferences import End
from db_api.policies import WritePolicy
from support.shop import ANON, SERVICE, Settings, opened_shop, opened_side

pytestmark = pytest.mark.anyio

SHOWN = {"Prefer": "return=representation"}
OBJECT = {"Accept": "application/vnd.pgrst.object+json"}
CHANGES = [("PATCH", {"b": "x"}), ("DELETE", None)]


@pytest.fixture
async def client(shop: str) -> AsyncIterator[httpx.AsyncClient]:
    connection = await asyncpg.connect(shop)
    await connection.execute("INSERT INTO shop.pairs VALUES (1, 'one'), (2, 'two'), (3, 'three')")
    await connection.close()
    async with opened_shop(shop) as client:
        yield client


async def pairs(client: httpx.AsyncClient) -> list[tuple[int, str]]:
    rows = (await client.get("/pairs?order=a")).json()
    return [(row["a"], row["b"]) for row in rows]


UNTOUCHED = [(1, "one"), (2, "two"), (3, "three")]


@pytest.mark.parametrize(("method", "body"), CHANGES)
async def test_anon_changes_nothing(
    client: httpx.AsyncClient, shop: str, method: str, body: dict[str, str] | None
) -> None:
    async with opened_shop(shop, ANON) as anon:
        answer = await anon.request(method, "/pairs?a=eq.1", json=body)
    assert (answer.status_code, answer.json()["code"]) == (405, "25006")
    assert await pairs(client) == UNTOUCHED


@pytest.mark.parametrize(("method", "body"), CHANGES)
@pytest.mark.parametrize(
    ("query", "prefer"),
    [
        ("", ""),
        ("?select=a&limit=1&order=a", ""),
        ("?_all=yes", ""),
        ("", "max-affected=1"),
        ("", "max-affected=1, handling=lenient"),
    ],
)
async def test_every_row_is_changed_only_when_that_is_said(
    client: httpx.AsyncClient, method: str, body: dict[str, str] | None, query: str, prefer: str
) -> None:
    answer = await client.request(method, f"/pairs{query}", json=body, headers={"Prefer": prefer})
    assert (answer.status_code, answer.json()["code"]) == (400, "DBAPI420")
    assert "_all=true" in answer.json()["hint"]
    assert await pairs(client) == UNTOUCHED


@pytest.mark.parametrize(("method", "body"), CHANGES)
@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("/nosuch?a=eq.1", 404, "PGRST205"),
        ("/pairs?nosuch=eq.1", 400, "42703"),
        ("/pairs?a=eq.one", 400, "22P02"),
        ("/pairs?a=is.one", 400, "PGRST100"),
    ],
)
async def test_a_filter_that_means_nothing_changes_nothing(
    client: httpx.AsyncClient,
    method: str,
    body: dict[str, str] | None,
    query: str,
    status: int,
    code: str,
) -> None:
    answer = await client.request(method, query, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await pairs(client) == UNTOUCHED


@pytest.mark.parametrize(("method", "body"), CHANGES)
async def test_more_rows_than_expected_are_not_changed(
    client: httpx.AsyncClient, method: str, body: dict[str, str] | None
) -> None:
    headers = {"Prefer": "handling=strict, max-affected=1"}
    answer = await client.request(method, "/pairs?a=gt.1", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "PGRST124")
    assert answer.json()["details"] == "The query affects 2 rows"
    assert await pairs(client) == UNTOUCHED


@pytest.mark.parametrize(("method", "body"), CHANGES)
@pytest.mark.parametrize("query", ["a=gt.1", "a=gt.9"])
async def test_other_than_one_row_is_not_changed_where_one_is_wanted(
    client: httpx.AsyncClient, method: str, body: dict[str, str] | None, query: str
) -> None:
    answer = await client.request(method, f"/pairs?{query}", json=body, headers=OBJECT)
    assert (answer.status_code, answer.json()["code"]) == (406, "PGRST116")
    assert await pairs(client) == UNTOUCHED


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"nosuch": 1}, "PGRST204"),
        ({"a": "one"}, "22P02"),
        ({"a": 2}, "23505"),
        ({"a": None}, "23502"),
    ],
)
async def test_a_value_that_does_not_fit_changes_nothing(
    client: httpx.AsyncClient, body: dict[str, object], code: str
) -> None:
    answer = await client.patch("/pairs?a=eq.1", json=body)
    assert answer.json()["code"] == code
    assert await pairs(client) == UNTOUCHED


async def test_a_constraint_that_is_checked_at_the_end_is_one_of_the_request(
    client: httpx.AsyncClient,
) -> None:
    await client.post("/tags", json={"product": 1, "word": "heavy"})
    answer = await client.delete("/products?id=eq.1")
    assert (answer.status_code, answer.json()["code"]) == (409, "23503")
    assert len((await client.get("/products?id=eq.1")).json()) == 1


async def test_chosen_rows_are_changed_in_silence(client: httpx.AsyncClient) -> None:
    answer = await client.patch("/pairs?or=(a.eq.1,b.eq.two)", json={"b": "x"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Content-Range"] == "0-1/*"
    assert "Content-Type" not in answer.headers
    assert await pairs(client) == [(1, "x"), (2, "x"), (3, "three")]


async def test_chosen_rows_are_removed_in_silence_whatever_the_body(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.request("DELETE", "/pairs?a=lt.3", json={})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Content-Range"] == "*/*"
    assert await pairs(client) == [(3, "three")]


async def test_changed_rows_are_shown_on_request(client: httpx.AsyncClient) -> None:
    headers = {"Prefer": "return=representation, count=exact"}
    answer = await client.patch(
        "/pairs?a=gte.2&select=was:a,b&order=a.desc&limit=1", json={"b": "x"}, headers=headers
    )
    assert answer.status_code == 200
    assert answer.json() == [{"was": 3, "b": "x"}, {"was": 2, "b": "x"}]
    assert answer.headers["Content-Range"] == "0-1/2"
    assert answer.headers["Preference-Applied"] == "return=representation, count=exact"


async def test_removed_rows_are_shown_on_request(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/pairs?a=eq.2", headers=SHOWN | OBJECT)
    assert (answer.status_code, answer.json()) == (200, {"a": 2, "b": "two"})
    assert await pairs(client) == [(1, "one"), (3, "three")]


async def test_all_rows_are_changed_when_that_is_said(client: httpx.AsyncClient) -> None:
    headers = {"Prefer": "handling=strict, max-affected=3"}
    answer = await client.patch("/pairs", json={"b": "x"}, headers=headers)
    assert answer.headers["Preference-Applied"] == "handling=strict, max-affected=3"
    assert await pairs(client) == [(1, "x"), (2, "x"), (3, "x")]
    assert (await client.delete("/pairs?_all=true")).status_code == 204
    assert await pairs(client) == []


async def test_a_filter_may_be_left_out_where_the_operator_says_so(
    client: httpx.AsyncClient, shop: str
) -> None:
    settings = Settings(policy=WritePolicy(allows_unfiltered=True))
    async with opened_shop(shop, settings=settings) as bold:
        assert (await bold.delete("/pairs")).status_code == 204
    assert await pairs(client) == []


@pytest.mark.parametrize("data", [b"{}", b"[]", b"[{}]"])
async def test_without_a_value_nothing_changes(client: httpx.AsyncClient, data: bytes) -> None:
    headers = {"Prefer": "return=representation, count=exact"}
    answer = await client.patch("/pairs?a=eq.1&select=a", content=data, headers=headers)
    assert (answer.status_code, answer.json()) == (200, [])
    assert answer.headers["Content-Range"] == "*/0"


async def test_named_columns_alone_are_changed_and_defaults_filled_in(
    client: httpx.AsyncClient,
) -> None:
    headers = {"Prefer": "return=representation, missing=default"}
    answer = await client.patch(
        "/products?id=eq.1&columns=stock,name&select=name,stock,price",
        json={"name": "Hammer", "price": 1},
        headers=headers,
    )
    assert answer.json() == [{"name": "Hammer", "stock": 7, "price": 99.5}]


async def test_the_first_row_of_several_is_the_new_value(client: httpx.AsyncClient) -> None:
    await client.patch("/pairs?a=eq.1", json=[{"b": "first"}, {"b": "second"}])
    assert (await pairs(client))[0] == (1, "first")


async def test_a_column_called_as_our_own_names_is_changed(client: httpx.AsyncClient) -> None:
    await client.patch("/page?t=eq.2&page=eq.1", json={"t": 5, "page": 6, "r": 7})
    assert (await client.get("/page")).json() == [{"page": 6, "t": 5, "r": 7}]


async def test_hostile_names_are_changed_as_any_other(client: httpx.AsyncClient) -> None:
    table = "/odd%20%22name%3B%20--"
    query = "?%22na%5C%22me%3B%20--%22=eq.x"
    answer = await client.patch(table + query, json={"цена": 2}, headers=SHOWN)
    assert answer.json() == [{'na"me; --': "x", "цена": 2}]


async def test_a_client_has_no_say_in_the_end_unless_the_operator_lets_it(
    client: httpx.AsyncClient,
) -> None:
    headers = {"Prefer": "tx=rollback"}
    answer = await client.delete("/pairs?a=eq.1", headers=headers)
    assert "Preference-Applied" not in answer.headers
    assert await pairs(client) == [(2, "two"), (3, "three")]


@pytest.mark.parametrize(
    ("end", "prefer", "left"),
    [
        ("commit", None, UNTOUCHED[1:]),
        ("commit", "tx=rollback", UNTOUCHED),
        ("rollback", None, UNTOUCHED),
        ("rollback", "tx=commit", UNTOUCHED[1:]),
    ],
)
async def test_a_client_may_choose_the_end_where_the_operator_lets_it(
    client: httpx.AsyncClient, shop: str, end: End, prefer: str | None, left: list[tuple[int, str]]
) -> None:
    headers = {} if prefer is None else {"Prefer": prefer}
    settings = Settings(policy=WritePolicy(end=end, lets_clients_end=True))
    async with opened_shop(shop, settings=settings) as choosing:
        answer = await choosing.delete("/pairs?a=eq.1", headers=headers)
    assert answer.status_code == 204
    assert answer.headers.get("Preference-Applied") == prefer
    assert await pairs(client) == left


async def test_a_rehearsal_checks_what_is_checked_at_the_end(shop: str) -> None:
    policy = WritePolicy(lets_clients_end=True)
    headers = {"Prefer": "tx=rollback"}
    async with opened_shop(shop, settings=Settings(size=1, policy=policy)) as choosing:
        answer = await choosing.post("/tags", json={"product": 99}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (409, "23503")
        assert (await choosing.get("/tags")).json() == []


async def test_a_refused_commit_leaves_no_lock_behind(shop: str) -> None:
    connection = await asyncpg.connect(shop)
    await connection.execute(
        "CREATE FUNCTION shop.lock() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_advisory_lock(7); RETURN new; END $$;"
        "CREATE TRIGGER lock BEFORE INSERT ON shop.tags FOR EACH ROW EXECUTE FUNCTION shop.lock()"
    )
    await connection.close()
    async with opened_shop(shop, settings=Settings(size=1)) as narrow:
        assert (await narrow.post("/tags", json={"product": 99})).status_code == 409
        assert (await narrow.get("/session", headers=OBJECT)).json()["locks"] == 0


@pytest.mark.parametrize(("method", "body"), CHANGES)
async def test_a_change_meets_a_changed_schema_and_is_made_once(
    client: httpx.AsyncClient, shop: str, method: str, body: dict[str, str] | None
) -> None:
    async with opened_side(shop, Settings(size=1)) as side, side.client(SERVICE) as narrow:
        await narrow.request(method, "/pairs?a=eq.1", json=body, headers=SHOWN)
        connection = await asyncpg.connect(shop)
        await connection.execute(
            "ALTER TABLE shop.pairs ALTER a TYPE bigint; ALTER TABLE shop.pairs ADD c int DEFAULT 5"
        )
        await connection.close()
        side.now += 1
        answer = await narrow.request(method, "/pairs?a=eq.2&c=eq.5", json=body, headers=SHOWN)
    assert answer.status_code == 200
    assert [row["a"] for row in answer.json()] == [2]
    assert len(await pairs(client)) == (1 if method == "DELETE" else 3)


async def test_anon_is_told_that_it_only_reads(shop: str) -> None:
    async with opened_shop(shop, ANON) as anon:
        answer = await anon.patch("/products?id=eq.1", json={"stock": 0})
    assert (answer.status_code, answer.json()["code"]) == (405, "25006")
    assert "service_role" in answer.json()["hint"]
