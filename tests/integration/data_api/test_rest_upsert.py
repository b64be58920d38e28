"""Upserts, the PUT of one row and bodies that are no JSON, on a real PostgreSQL."""

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from support.shop import ANON, opened_shop

pytestmark = pytest.mark.anyio

OBJECT = {"Accept": "application/vnd.pgrst.object+json"}
UNTOUCHED = [(1, "one"), (2, "two")]


@pytest.fixture
async def client(shop: str) -> AsyncIterator[httpx.AsyncClient]:
    connection = await asyncpg.connect(shop)
    await connection.execute(
        "CREATE TABLE shop.words (n int PRIMARY KEY, word text UNIQUE, note text DEFAULT 'none');"
        "INSERT INTO shop.words VALUES (1, 'one', 'kept'), (2, 'two', 'kept');"
        "CREATE VIEW shop.seen AS SELECT n, word FROM shop.words;"
        "CREATE TABLE shop.parts (n int PRIMARY KEY, word text) PARTITION BY RANGE (n);"
        "CREATE TABLE shop.part PARTITION OF shop.parts FOR VALUES FROM (0) TO (100)"
    )
    await connection.close()
    async with opened_shop(shop) as client:
        yield client


async def words(client: httpx.AsyncClient) -> list[tuple[int, str]]:
    rows = (await client.get("/words?order=n")).json()
    return [(row["n"], row["word"]) for row in rows]


def merging(*more: str) -> dict[str, str]:
    return {"Prefer": ", ".join(("resolution=merge-duplicates", "return=representation", *more))}


def ignoring(*more: str) -> dict[str, str]:
    return {"Prefer": ", ".join(("resolution=ignore-duplicates", "return=representation", *more))}


async def test_anon_upserts_nothing(client: httpx.AsyncClient, shop: str) -> None:
    async with opened_shop(shop, ANON) as anon:
        posted = await anon.post("/words", json={"n": 1, "word": "x"}, headers=merging())
        put = await anon.put("/words?n=eq.1", json={"n": 1, "word": "x"})
    assert [answer.json()["code"] for answer in (posted, put)] == ["25006", "25006"]
    assert await words(client) == UNTOUCHED


@pytest.mark.parametrize(
    ("columns", "code"),
    [("nosuch", "42703"), ("note", "42P10"), ("n,word", "42P10"), ("n,", "PGRST100")],
)
async def test_a_conflict_on_columns_that_are_not_unique_is_refused(
    client: httpx.AsyncClient, columns: str, code: str
) -> None:
    row = {"n": 1, "word": "x"}
    answer = await client.post(f"/words?on_conflict={columns}", json=row, headers=merging())
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert await words(client) == UNTOUCHED


async def test_a_row_is_not_merged_twice(client: httpx.AsyncClient) -> None:
    rows = [{"n": 1, "word": "x"}, {"n": 1, "word": "y"}]
    answer = await client.post("/words", json=rows, headers=merging())
    assert answer.json()["code"] == "21000"
    assert await words(client) == UNTOUCHED


async def test_rows_that_exist_take_the_new_values(client: httpx.AsyncClient) -> None:
    rows = [{"n": 1, "word": "uno"}, {"n": 3, "word": "tre"}]
    answer = await client.post("/words", json=rows, headers=merging("count=exact"))
    assert answer.status_code == 201
    assert answer.json() == [
        {"n": 1, "word": "uno", "note": "kept"},
        {"n": 3, "word": "tre", "note": "none"},
    ]
    assert answer.headers["Content-Range"] == "*/2"
    assert answer.headers["Preference-Applied"] == (
        "resolution=merge-duplicates, return=representation, count=exact"
    )


@pytest.mark.parametrize("table", ["words", "seen?on_conflict=n"])
async def test_where_no_row_is_new_nothing_was_created(
    client: httpx.AsyncClient, table: str
) -> None:
    rows = [{"n": 1, "word": "uno"}, {"n": 2, "word": "due"}]
    headers = {"Prefer": "resolution=merge-duplicates"}
    answer = await client.post(f"/{table}", json=rows, headers=headers)
    assert (answer.status_code, answer.content) == (200, b"")
    assert await words(client) == [(1, "uno"), (2, "due")]


async def test_a_partitioned_table_is_merged_into(client: httpx.AsyncClient) -> None:
    rows = [{"n": 1, "word": "uno"}]
    statuses = [
        (await client.post("/parts", json=rows, headers=merging())).status_code for _ in range(2)
    ]
    assert statuses == [201, 200]


async def test_rows_that_exist_are_left_alone(client: httpx.AsyncClient) -> None:
    rows = [{"n": 1, "word": "uno"}, {"n": 3, "word": "tre"}]
    answer = await client.post("/words", json=rows, headers=ignoring())
    assert (answer.status_code, answer.json()) == (201, [{"n": 3, "word": "tre", "note": "none"}])
    assert await words(client) == [*UNTOUCHED, (3, "tre")]


async def test_another_unique_column_may_say_that_a_row_exists(client: httpx.AsyncClient) -> None:
    rows = [{"n": 7, "word": "one"}]
    answer = await client.post('/words?on_conflict="word"', json=rows, headers=merging())
    assert answer.status_code == 200
    assert await words(client) == [(2, "two"), (7, "one")]


async def test_missing_members_of_an_upsert_are_defaults(client: httpx.AsyncClient) -> None:
    rows = [{"n": 1, "note": "new"}, {"n": 3}]
    query = "/words?columns=n,note&select=n,note"
    answer = await client.post(query, json=rows, headers=merging("missing=default"))
    assert answer.json() == [{"n": 1, "note": "new"}, {"n": 3, "note": "none"}]


async def test_without_a_primary_key_every_row_is_new(client: httpx.AsyncClient) -> None:
    answer = await client.post("/page", json={"page": 1}, headers=merging())
    assert answer.status_code == 201
    assert answer.headers["Preference-Applied"] == "return=representation"


@pytest.mark.parametrize(
    ("query", "body", "status", "code"),
    [
        ("words", {"n": 1}, 405, "PGRST105"),
        ("words?n=gt.1", {"n": 1}, 405, "PGRST105"),
        ("words?n=not.eq.1", {"n": 1}, 405, "PGRST105"),
        ("words?n=eq(any).{1}", {"n": 1}, 405, "PGRST105"),
        ("words?n=eq.1&word=eq.x", {"n": 1}, 405, "PGRST105"),
        ("words?or=(n.eq.1,n.eq.2)", {"n": 1}, 405, "PGRST105"),
        ("pairs?a=eq.1", {"a": 1, "b": "x"}, 405, "PGRST105"),
        ("page?page=eq.1", {"page": 1}, 405, "PGRST105"),
        ("words?n=eq.1&limit=1", {"n": 1}, 400, "PGRST114"),
        ("words?n=eq.1&offset=1", {"n": 1}, 400, "PGRST114"),
        ("words?n=eq.1", {"n": 2, "word": "x"}, 400, "PGRST115"),
        ("words?n=eq.1", {"word": "x"}, 400, "PGRST115"),
        ("words?n=eq.1", [], 400, "PGRST115"),
        ("words?n=eq.1", [{"n": 1}, {"n": 1}], 500, "21000"),
        ("nosuch?n=eq.1", {"n": 1}, 404, "PGRST205"),
        ("words?n=eq.1", {"m": 1}, 400, "PGRST204"),
    ],
)
async def test_a_put_is_of_the_one_row_that_its_path_names(
    client: httpx.AsyncClient, query: str, body: object, status: int, code: str
) -> None:
    answer = await client.put(f"/{query}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await words(client) == UNTOUCHED


async def test_a_put_makes_a_row_or_replaces_its_values(client: httpx.AsyncClient) -> None:
    headers = {"Prefer": "return=representation"}
    query = "/words?n=eq.3&select=word"
    made = await client.put(query, json={"n": 3, "word": "x"}, headers=headers | OBJECT)
    replaced = await client.put(query, json=[{"n": 3, "word": "y"}], headers=headers)
    silent = await client.put("/words?n=eq.3", json={"n": 3, "word": "z"})
    assert (made.status_code, made.json()) == (201, {"word": "x"})
    assert (replaced.status_code, replaced.json()) == (200, [{"word": "y"}])
    assert (silent.status_code, silent.content) == (204, b"")
    assert await words(client) == [*UNTOUCHED, (3, "z")]


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("text/csv", 'word,n\n"a, b",8\nNULL,9\n'),
        ("application/x-ndjson", '{"n":8,"word":"a, b"}\n{"n":9,"word":null}\n'),
    ],
)
async def test_rows_come_in_other_forms_than_json(
    client: httpx.AsyncClient, content_type: str, data: str
) -> None:
    headers = {"Content-Type": content_type, "Prefer": "return=representation"}
    answer = await client.post("/words?select=n,word", content=data, headers=headers)
    assert (answer.status_code, answer.json()) == (
        201,
        [{"n": 8, "word": "a, b"}, {"n": 9, "word": None}],
    )


async def test_a_form_is_one_row(client: httpx.AsyncClient) -> None:
    answer = await client.patch("/words?n=eq.1", data={"word": "a&b"})
    assert answer.status_code == 204
    assert (await words(client))[0] == (1, "a&b")


async def test_a_body_of_an_unknown_form_is_refused(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "text/html"}
    answer = await client.post("/words", content="<p>", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "PGRST102")
