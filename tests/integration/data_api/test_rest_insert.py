"""Inserts through the routes, on a real PostgreSQL."""

import json
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from support.shop import ANON, opened_shop

pytestmark = pytest.mark.anyio

SHOWN = {"Prefer": "return=representation"}
OBJECT = {"Accept": "application/vnd.pgrst.object+json"}


@pytest.fixture
async def client(shop: str) -> AsyncIterator[httpx.AsyncClient]:
    async with opened_shop(shop) as client:
        yield client


async def test_anon_writes_nothing(shop: str) -> None:
    async with opened_shop(shop, ANON) as client:
        answer = await client.post("/numbers", json={"n": 1000})
        assert (answer.status_code, answer.json()["code"]) == (405, "25006")
        assert (await client.get("/numbers?n=eq.1000")).json() == []


async def test_a_row_that_anon_may_not_see_is_not_echoed(shop: str) -> None:
    connection = await asyncpg.connect(shop)
    await connection.execute(
        "CREATE TABLE shop.secrets (pin int);"
        "CREATE FUNCTION shop.reveal() RETURNS int LANGUAGE plpgsql AS $$ BEGIN"
        "  RAISE check_violation USING DETAIL = 'Failing row contains (4711).'; END $$;"
        "CREATE VIEW shop.revealing AS SELECT shop.reveal()"
    )
    await connection.close()
    async with opened_shop(shop, ANON) as client:
        answer = await client.get("/revealing")
    assert (answer.status_code, answer.json()["code"]) == (400, "23514")
    assert "4711" not in answer.text


@pytest.mark.parametrize(
    ("table", "row", "status", "code"),
    [
        ("nosuch", {"a": 1}, 404, "PGRST205"),
        ("numbers", {"m": 1}, 400, "PGRST204"),
        ("numbers", {"n": 1}, 409, "23505"),
        ("numbers", {"n": None}, 400, "23502"),
        ("numbers", {"n": "one"}, 400, "22P02"),
        ("numbers", {"n": 10**40}, 400, "22003"),
        ("numbers", {"n": [1]}, 400, "22P02"),
        ("products", {"name": "x", "price": -1}, 400, "23514"),
        ("products", {"name": "x", "code": "ABCD"}, 400, "22001"),
        ("products", {"name": "x", "doubled": 1}, 400, "428C9"),
        ("products", {"name": "a\0b"}, 400, "22P05"),
        ("tags", {"product": 99}, 409, "23503"),
        ("slow", {"slept": "x"}, 500, "55000"),
        ("paid", {"id": 1}, 402, "PT402"),
    ],
)
async def test_a_row_that_postgresql_refuses_is_refused_with_its_code(
    client: httpx.AsyncClient, table: str, row: dict[str, object], status: int, code: str
) -> None:
    answer = await client.post(f"/{table}", json=row)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "PGRST102"),
        (b"[", "PGRST102"),
        (b'[{"n":1000},{"m":1}]', "PGRST102"),
        (b"17", "PGRST102"),
        (b'{"n":NaN}', "22P02"),
        (b'{"n":1e999}', "22P02"),
        (rb'{"n":"\ud800"}', "PGRST102"),
        (b'{"n":"\xff"}', "PGRST102"),
    ],
)
async def test_a_body_that_is_no_row_is_refused(
    client: httpx.AsyncClient, data: bytes, code: str
) -> None:
    answer = await client.post("/numbers", content=data)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize("data", [b"17", b'"x"', b"[1]", b'[{"n":1000},2]', b"", b'{"n":1000},{}'])
async def test_a_body_is_no_row_even_where_the_columns_are_named(
    client: httpx.AsyncClient, data: bytes
) -> None:
    answer = await client.post("/numbers?columns=n", content=data)
    assert answer.status_code == 400
    assert (await client.get("/numbers?n=eq.1000")).json() == []


async def test_all_rows_are_written_or_none(client: httpx.AsyncClient) -> None:
    assert (await client.post("/numbers", json=[{"n": 1000}, {"n": 1}])).status_code == 409
    assert (await client.get("/numbers?n=eq.1000")).json() == []


async def test_a_row_is_created_in_silence(client: httpx.AsyncClient) -> None:
    answer = await client.post("/numbers", json={"n": 1000})
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["Content-Range"] == "*/*"
    assert "Location" not in answer.headers
    assert "Content-Type" not in answer.headers
    assert (await client.get("/numbers?n=eq.1000")).json() == [{"n": 1000}]


async def test_created_rows_are_shown_on_request(client: httpx.AsyncClient) -> None:
    rows = [{"a": 2, "b": "Ünïcode"}, {"a": 1, "b": ""}]
    headers = {"Prefer": "return=representation,count=exact"}
    answer = await client.post("/pairs?select=b,twice:a&order=a", json=rows, headers=headers)
    assert answer.status_code == 201
    assert answer.json() == [{"b": "", "twice": 1}, {"b": "Ünïcode", "twice": 2}]
    assert answer.headers["Content-Range"] == "*/2"
    assert answer.headers["Preference-Applied"] == "return=representation, count=exact"


async def test_one_created_row_comes_without_an_array_on_request(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/numbers", json={"n": 1000}, headers=SHOWN | OBJECT)
    assert (answer.status_code, answer.json()) == (201, {"n": 1000})


async def test_several_rows_are_not_created_where_one_is_wanted(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/numbers", json=[{"n": 1000}, {"n": 1001}], headers=OBJECT)
    assert (answer.status_code, answer.json()["code"]) == (406, "PGRST116")
    assert (await client.get("/numbers?n=gte.1000")).json() == []


async def test_a_created_rows_place_is_shown_on_request(client: httpx.AsyncClient) -> None:
    headers = {"Prefer": "return=headers-only"}
    answer = await client.post("/pairs", json={"a": 1, "b": "x&y z"}, headers=headers)
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["Location"] == "/pairs?b=eq.x%26y%20z&a=eq.1"


async def test_members_without_a_column_are_left_out_when_the_columns_are_named(
    client: httpx.AsyncClient,
) -> None:
    row = {"n": 1000, "more": [1, {"x": "y"}]}
    answer = await client.post('/numbers?columns="n"', json=row, headers=SHOWN)
    assert answer.json() == [{"n": 1000}]


async def test_a_missing_member_is_null_or_the_default_as_asked(
    client: httpx.AsyncClient,
) -> None:
    rows = [{"name": "Egg", "stock": 1}, {"name": "Fan"}]
    query = "/products?columns=id,name,stock&select=name,stock"
    refused = await client.post(query, json=rows, headers=SHOWN)
    assert refused.json()["code"] == "23502"
    headers = {"Prefer": "return=representation,missing=default"}
    answer = await client.post(query, json=rows, headers=headers)
    assert answer.json() == [{"name": "Egg", "stock": 1}, {"name": "Fan", "stock": 7}]
    assert answer.headers["Preference-Applied"] == "missing=default, return=representation"


async def test_an_explicit_null_is_no_missing_member(client: httpx.AsyncClient) -> None:
    headers = {"Prefer": "missing=default"}
    answer = await client.post("/products", json={"name": "x", "stock": None}, headers=headers)
    assert answer.json()["code"] == "23502"


async def test_columns_that_the_body_does_not_name_take_their_defaults(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/contacts", json={"id": 1}, headers=SHOWN)
    assert answer.json() == [{"id": 1, "email": "nobody@example.com"}]


@pytest.mark.parametrize(("data", "rows"), [(b"{}", 1), (b"[{},{}]", 2), (b"[]", 0)])
async def test_rows_without_members_are_all_defaults(
    client: httpx.AsyncClient, data: bytes, rows: int
) -> None:
    answer = await client.post("/page", content=data, headers=SHOWN)
    assert answer.status_code == 201
    assert answer.json() == [{"page": None, "t": None, "r": None}] * rows


async def test_every_type_comes_back_as_it_went_in(client: httpx.AsyncClient) -> None:
    row = {
        "name": 'quotes " and \\ and é',
        "price": 12.34,
        "tags": ["a,b", 'c"d'],
        "details": {"deep": [1, {"x": None}]},
        "raw": [1, 2],
        "mood": "happy",
        "seen": "2026-01-02T03:04:05.678901+00:00",
        "code": "XYZ",
        "span": "[1,5)",
        "active": True,
    }
    query = f"/products?select={','.join(row)}"
    answer = await client.post(query, content=json.dumps([row]), headers=SHOWN)
    assert answer.json() == [row]


async def test_many_rows_are_created_at_once(client: httpx.AsyncClient) -> None:
    rows = [{"n": number} for number in range(1000, 3000)]
    headers = {"Prefer": "count=exact"}
    answer = await client.post("/numbers", json=rows, headers=headers)
    assert answer.headers["Content-Range"] == "*/2000"


@pytest.mark.parametrize(("profile", "status"), [("public", 201), ("shop", 201), ("other", 406)])
async def test_a_write_names_its_schema_by_content_profile(
    client: httpx.AsyncClient, profile: str, status: int
) -> None:
    headers = SHOWN | {"Content-Profile": profile, "Accept-Profile": "other"}
    answer = await client.post("/numbers", json={"n": 1000}, headers=headers)
    assert answer.status_code == status
