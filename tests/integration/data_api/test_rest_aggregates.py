"""Aggregates, full-text search and computed columns, on a real PostgreSQL."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from support.library import READER
from support.shop import Settings, opened_shop

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(library: str) -> AsyncIterator[httpx.AsyncClient]:
    async with opened_shop(library, READER) as client:
        yield client


async def rows(client: httpx.AsyncClient, url: str) -> Any:
    answer = await client.get(url)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    "select",
    [
        *("count()", "price.sum()", "n:price::int.max()", "count", "genres(count())"),
        *("...authors!written_by(id.count())", "authors!written_by(biographies(count()))"),
    ],
)
async def test_aggregates_are_refused_where_they_are_off(library: str, select: str) -> None:
    async with opened_shop(library, READER, Settings(aggregates=False)) as client:
        answer = await client.get(f"/books?select={select}")
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "PGRST123",
        "message": "Use of aggregate functions is not allowed",
        "details": None,
        "hint": None,
    }


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("select=title.sum()", "42883"),
        ("select=nosuch.sum()", "42703"),
        ("select=price.sum()::nosuch", "42704"),
        ("select=price.sum()&order=id", "42803"),
        ("select=...genres(id.sum())", "PGRST127"),
        ("select=...genres(...books(id.sum()))", "PGRST127"),
    ],
)
async def test_an_aggregate_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, query: str, code: str
) -> None:
    answer = await client.get(f"/books?{query}")
    assert (answer.json()["code"], answer.status_code // 100) == (code, 4)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select=count()", [{"count": 5}]),
        ("select=n:count()::text", [{"n": "5"}]),
        ("select=count", [{"count": 5}]),
        ("select=year.count(),price.max(),price.min(),price.avg()::int,s:price.sum()",
         [{"count": 4, "max": 12.5, "min": 8, "avg": 10, "s": 39.5}]),
        ("select=details->>pages::int.sum()", [{"sum": 947}]),
        ("select=author_id,price.sum()&order=author_id",
         [{"author_id": 1, "sum": 22.5}, {"author_id": 2, "sum": 8}, {"author_id": 3, "sum": 9},
          {"author_id": None, "sum": None}]),
        ("select=by:author_id::text,count()&author_id=eq.1", [{"by": "1", "count": 2}]),
        ("select=authors!written_by(name),count()&author_id=eq.1",
         [{"authors": {"name": "Austen"}, "count": 2}]),
        ("select=...authors!written_by(name),price.sum()&order=authors(name).desc.nullslast&limit=2",
         [{"name": "Christie", "sum": 9}, {"name": "Borges", "sum": 8}]),
        ("select=...authors!written_by(n:id.count())", [{"n": 4}]),
        ("select=...authors!written_by(count())", [{"count": 4}]),
        ("select=...authors!written_by(mentor,...biographies(author_id.max()))&order=authors(mentor)",
         [{"mentor": 1, "max": 2}, {"mentor": None, "max": 1}]),
        ("select=details->tags,count()&id=eq.1", [{"tags": ["novel"], "count": 1}]),
        ("select=...editions(number),count()&id=in.(1,2)&order=count", None),
    ],
)  # fmt: skip
async def test_rows_are_grouped_by_all_that_is_no_aggregate(
    client: httpx.AsyncClient, query: str, expected: object
) -> None:
    if expected is None:
        assert (await client.get(f"/books?{query}")).json()["code"] == "42703"
    else:
        assert await rows(client, f"/books?{query}") == expected


async def test_related_rows_are_aggregated_for_each_row(client: httpx.AsyncClient) -> None:
    found = await rows(
        client, "/authors?select=id,books!written_by(price.sum(),count())&order=id&id=in.(1,4)"
    )
    assert found == [
        {"id": 1, "books": [{"sum": 22.5, "count": 2}]},
        {"id": 4, "books": [{"sum": None, "count": 0}]},
    ]


async def test_groups_are_counted_by_the_cap_as_they_are_shown(library: str) -> None:
    async with opened_shop(library, READER, Settings(max_rows=1)) as client:
        one = await client.get("/books?select=count()")
        many = await client.get("/books?select=author_id,count()")
    assert one.headers.get("X-Result-Truncated") is None
    assert many.headers.get("X-Result-Truncated") == "true"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("words=fts.emma", [1]),
        ("words=fts(simple).emma|poirot", [1, 4]),
        ("words=plfts(simple).elliot anne", [2]),
        ("words=phfts(simple).library labyrinth", []),
        ("words=wfts.emma or poirot", [1, 4]),
        ("words=not.fts.emma", [2, 3, 4]),
        ("title=fts(english).persuasions", [2]),
        ("details=fts(simple).novel", [1]),
        ("details->>tags=plfts(simple).novel", [1]),
        ("or=(words.fts(simple).emma,title.wfts(english).curtains)", [1, 4]),
    ],
)
async def test_text_is_searched(
    client: httpx.AsyncClient, condition: str, expected: list[int]
) -> None:
    found = await rows(client, f"/books?select=id&order=id&{condition}")
    assert [row["id"] for row in found] == expected


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("words=fts(klingon).x", "42704"),
        ("words=fts(simple');drop table books;--).x", "PGRST100"),
        ("words=fts.a b c", "42601"),
        ("id=fts.x", "42883"),
    ],
)
async def test_a_search_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, condition: str, code: str
) -> None:
    answer = await client.get("/books?" + condition)
    assert (answer.json()["code"], answer.status_code // 100) == (code, 4)


async def test_a_computed_column_is_read_like_a_column(client: httpx.AsyncClient) -> None:
    found = await rows(
        client, "/books?select=full_title&full_title=like.*18*&order=full_title.desc"
    )
    assert found == [{"full_title": "Persuasion (1817)"}, {"full_title": "Emma (1815)"}]
    assert "full_title" not in (await rows(client, "/books"))[0]


@pytest.mark.parametrize("name", ["hidden", "first_author", "pg_typeof", "count_all"])
async def test_no_other_function_is_a_column(client: httpx.AsyncClient, name: str) -> None:
    for query in (f"select={name}", f"{name}=eq.1", f"order={name}"):
        assert (await client.get(f"/books?{query}")).json()["code"] == "42703"
