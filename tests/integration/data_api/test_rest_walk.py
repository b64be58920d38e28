"""A walk by `Link: rel="next"`, on a real PostgreSQL, while others write."""

import asyncio
import base64
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import pytest

from support.shop import Settings, opened_shop

pytestmark = pytest.mark.anyio

ROWS = 2000
EVENTS = f"""
CREATE TABLE shop.events (id int PRIMARY KEY, kind text, at timestamptz NOT NULL, score float8);
INSERT INTO shop.events
    SELECT n, nullif('kind ' || n % 7, 'kind 0'),
        '2026-01-01Z'::timestamptz + n % 50 * '1.1s'::interval,
        CASE n % 3 WHEN 0 THEN null WHEN 1 THEN n / 7.0 ELSE 'NaN' END
    FROM generate_series(1, {ROWS}) AS n;
CREATE VIEW shop.seen AS SELECT * FROM shop.events;
CREATE TABLE shop.keyless (n int);
INSERT INTO shop.keyless SELECT generate_series(1, 10);
"""
ORDERS = [
    "id",
    "id.desc",
    "kind",
    "kind.desc",
    "kind.nullsfirst",
    "kind.desc.nullslast,id.desc",
    "at,kind.desc",
    "score,kind.nullsfirst,at.desc",
    "score.desc",
    "score.desc.nullslast,at",
]


@pytest.fixture
async def database(shop: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(shop)
    await connection.execute(EVENTS)
    yield connection
    await connection.close()


@pytest.fixture
async def client(shop: str, database: asyncpg.Connection) -> AsyncIterator[httpx.AsyncClient]:
    del database  # its tables are served
    async with opened_shop(shop, settings=Settings(max_rows=ROWS)) as client:
        yield client


def next_query(answer: httpx.Response) -> str | None:
    """Return the query string of the page after, as a client reads it."""
    link = answer.links.get("next")
    return urlsplit(link["url"]).query if link else None


async def walk(client: httpx.AsyncClient, table: str, query: str) -> AsyncIterator[list[int]]:
    """Yield the numbers of each page, from link to link."""
    following: str | None = query
    while following is not None:
        answer = (await client.get(f"/{table}?{following}")).raise_for_status()
        yield [row["id"] for row in answer.json()]
        following = next_query(answer)


@pytest.mark.parametrize("order", ORDERS)
async def test_a_walk_yields_every_row_once_in_its_order(
    client: httpx.AsyncClient, order: str
) -> None:
    query = f"select=id&order={order}"
    walked = [
        number async for page in walk(client, "events", f"{query}&limit=300") for number in page
    ]

    # the primary key breaks ties, which the whole read says itself
    whole = await client.get(f"/events?{query}{'' if 'id' in order else ',id'}")
    assert walked == [row["id"] for row in whole.json()]
    assert sorted(walked) == list(range(1, ROWS + 1))


async def test_a_walk_under_writes_misses_and_repeats_nothing(
    client: httpx.AsyncClient, database: asyncpg.Connection
) -> None:
    done = asyncio.Event()

    async def write() -> None:
        # a walk is as long as its table: rows that come ahead of it faster than it reads never end
        for number in range(ROWS + 1, 2 * ROWS):
            if done.is_set():
                break
            await database.execute(
                "INSERT INTO shop.events VALUES ($1, 'kind 3', now(), 1)", number
            )
            await database.execute(
                "INSERT INTO shop.events VALUES ($1, null, '-infinity', 1)", -number
            )

    writing = asyncio.create_task(write())
    query = "select=id&order=kind.desc,at&limit=100"
    walked = [number async for page in walk(client, "events", query) for number in page]
    done.set()
    await writing

    assert len(walked) == len(set(walked))
    assert set(range(1, ROWS + 1)) <= set(walked)
    assert len(walked) > ROWS


async def test_rows_deleted_at_the_seam_are_no_loss(
    client: httpx.AsyncClient, database: asyncpg.Connection
) -> None:
    walked = []
    async for page in walk(client, "events", "select=id&order=id&limit=500"):
        walked += page
        await database.execute("DELETE FROM shop.events WHERE id = $1", page[-1])

    assert walked == list(range(1, ROWS + 1))


async def test_filters_columns_and_embedding_stay_as_they_were(client: httpx.AsyncClient) -> None:
    first = await client.get(
        "/events?select=n:id&kind=eq.kind%202&order=score.desc&limit=3&offset=2"
    )
    query = next_query(first)

    assert query is not None
    told = parse_qs(query)
    assert set(told) == {"select", "kind", "order", "limit", "_after"}
    following = (await client.get(f"/events?{query}")).json()
    skipped = await client.get(
        "/events?select=n:id&kind=eq.kind%202&order=score.desc,id&limit=3&offset=5"
    )
    assert following == skipped.json()


async def test_the_last_page_links_nowhere(client: httpx.AsyncClient) -> None:
    exact = await client.get(f"/events?order=id&limit=10&offset={ROWS - 10}")
    assert (len(exact.json()), "Link" in exact.headers) == (10, False)
    assert "Link" in (await client.get(f"/events?order=id&limit=9&offset={ROWS - 10}")).headers


@pytest.mark.parametrize(
    "query",
    [
        "events?limit=3",
        "events?order=id&limit=0",
        "events?select=kind,count()&order=kind&limit=2",
        "seen?order=id&limit=3",
        "keyless?order=n&limit=3",
    ],
)
async def test_without_a_total_order_there_is_no_link(
    client: httpx.AsyncClient, query: str
) -> None:
    answer = (await client.get(f"/{query}")).raise_for_status()
    assert "Link" not in answer.headers


async def test_a_range_has_no_link(client: httpx.AsyncClient) -> None:
    answer = await client.get("/events?order=id", headers={"Range": "0-2"})
    assert (len(answer.json()), "Link" in answer.headers) == (3, False)


async def test_a_token_is_good_for_its_table_and_order_alone(
    client: httpx.AsyncClient, database: asyncpg.Connection
) -> None:
    await database.execute("CREATE TABLE shop.others (LIKE shop.events INCLUDING ALL)")
    query = next_query(await client.get("/events?order=at&limit=3"))
    assert query is not None
    (token,) = parse_qs(query)["_after"]
    sealed = base64.urlsafe_b64decode(token + "==")
    changed = base64.urlsafe_b64encode(sealed[:-1] + bytes([sealed[-1] ^ 1])).decode()

    assert (await client.get(f"/events?order=at&_after={token}")).status_code == 200
    for path in (
        f"others?order=at&_after={token}",
        f"events?order=at.desc&_after={token}",
        f"events?order=at,kind&_after={token}",
        f"events?_after={token}",
        f"seen?order=at&_after={token}",
        f"events?order=at&_after={changed}",
        f"events?order=at&_after={token[:-4]}",
        "events?order=at&_after=",
        "events?order=at&_after=%00",
        "events?order=at&_after=%F0%9F%92%A9",
    ):
        answer = await client.get(f"/{path}")
        assert (answer.status_code, answer.json()["code"]) == (400, "DBAPI431"), path


async def test_a_write_takes_no_token(client: httpx.AsyncClient) -> None:
    query = next_query(await client.get("/events?order=id&limit=3"))
    answer = await client.delete(f"/events?id=gt.0&{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "DBAPI431")
    count = await client.head("/events", headers={"Prefer": "count=exact"})
    assert count.headers["Content-Range"].endswith(f"/{ROWS}")


async def test_lines_begin_after_a_token_too(client: httpx.AsyncClient) -> None:
    query = next_query(await client.get("/events?select=id&order=id.desc&limit=500&offset=1498"))
    answer = await client.get(f"/events?{query}", headers={"Accept": "text/csv"})

    assert answer.text.split() == ["id", "2", "1"]
