"""Pages, counts and forms of an answer, on a real PostgreSQL."""

from collections.abc import AsyncIterator

import httpx
import pytest

from support.shop import Settings, opened_shop

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(shared_shop: str) -> AsyncIterator[httpx.AsyncClient]:
    async with opened_shop(shared_shop) as client:
        yield client


@pytest.mark.parametrize(
    ("query", "headers", "expected", "named", "status"),
    [
        ("limit=2", {}, [1, 2], "0-1/*", 200),
        ("limit=2&offset=3", {}, [4, 5], "3-4/*", 200),
        ("", {"Range": "10-12"}, [11, 12, 13], "10-12/*", 200),
        ("limit=2", {"Range": "10-12"}, [], "*/*", 200),
        ("limit=2", {"Prefer": "count=exact"}, [1, 2], "0-1/50", 206),
        ("offset=48", {"Prefer": "count=exact"}, [49, 50], "48-49/50", 206),
        ("n=lt.3", {"Prefer": "count=exact"}, [1, 2], "0-1/2", 200),
        ("limit=0", {}, [], "*/*", 200),
        ("n=gt.99", {"Prefer": "count=exact"}, [], "*/0", 200),
    ],
)
async def test_a_page_is_named_by_its_range(
    client: httpx.AsyncClient,
    query: str,
    headers: dict[str, str],
    expected: list[int],
    named: str,
    status: int,
) -> None:
    answer = await client.get(f"/numbers?order=n&{query}", headers=headers)
    assert [row["n"] for row in answer.json()] == expected
    assert (answer.headers["Content-Range"], answer.status_code) == (named, status)


async def test_a_page_past_the_end_is_not_satisfiable(client: httpx.AsyncClient) -> None:
    answer = await client.get("/numbers?offset=51", headers={"Prefer": "count=exact"})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, "*/50")
    assert answer.json()["code"] == "PGRST103"


async def test_a_planned_count_is_the_planners(client: httpx.AsyncClient) -> None:
    answer = await client.get("/products?limit=1", headers={"Prefer": "count=planned"})
    assert answer.headers["Content-Range"] == "0-0/4"
    assert answer.headers["Preference-Applied"] == "count=planned"


async def test_an_estimated_count_is_exact_up_to_the_cap(client: httpx.AsyncClient) -> None:
    answer = await client.get("/numbers?limit=1", headers={"Prefer": "count=estimated"})
    assert answer.headers["Content-Range"] == "0-0/50"


async def test_an_estimated_count_is_never_below_what_was_counted(shared_shop: str) -> None:
    async with opened_shop(shared_shop, settings=Settings(max_rows=10)) as client:
        answer = await client.get("/numbers?limit=1", headers={"Prefer": "count=estimated"})
    assert int(answer.headers["Content-Range"].split("/")[1]) >= 11


@pytest.mark.parametrize(
    ("query", "rows", "is_cut"),
    [("", 49, True), ("limit=50", 49, True), ("limit=49", 49, False), ("offset=1", 49, False)],
)
async def test_the_servers_cap_is_never_silent(
    shared_shop: str,
    query: str,
    rows: int,
    is_cut: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    async with opened_shop(shared_shop, settings=Settings(max_rows=49)) as client:
        answer = await client.get(f"/numbers?{query}")
    assert len(answer.json()) == rows
    assert ("X-Result-Truncated" in answer.headers) is is_cut


async def test_head_is_get_without_a_body(client: httpx.AsyncClient) -> None:
    answer = await client.head("/numbers?limit=3", headers={"Prefer": "count=exact"})
    assert (answer.status_code, answer.content) == (206, b"")
    assert answer.headers["Content-Range"] == "0-2/50"
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


async def test_head_checks_the_names_as_get_does(client: httpx.AsyncClient) -> None:
    assert (await client.head("/products?select=nosuch")).status_code == 400


OBJECT = {"Accept": "application/vnd.pgrst.object+json"}


async def test_one_row_comes_without_an_array_on_request(client: httpx.AsyncClient) -> None:
    answer = await client.get("/products?select=id&id=eq.1", headers=OBJECT)
    assert answer.json() == {"id": 1}
    assert answer.headers["Content-Type"] == "application/vnd.pgrst.object+json; charset=utf-8"


@pytest.mark.parametrize(("query", "rows"), [("id=eq.99", 0), ("id=lt.3", 2)])
async def test_other_than_one_row_is_not_acceptable_then(
    client: httpx.AsyncClient, query: str, rows: int
) -> None:
    answer = await client.get(f"/products?{query}", headers=OBJECT)
    assert (answer.status_code, answer.json()["code"]) == (406, "PGRST116")
    assert answer.json()["details"] == f"The result contains {rows} rows"


async def test_nulls_are_stripped_on_request(client: httpx.AsyncClient) -> None:
    accept = {"Accept": "application/vnd.pgrst.array+json;nulls=stripped"}
    answer = await client.get("/products?select=id,price,tags&id=eq.4", headers=accept)
    assert answer.json() == [{"id": 4}]


async def test_a_query_too_long_for_a_url_is_the_body_of_a_post(client: httpx.AsyncClient) -> None:
    many = ",".join(str(number) for number in range(10, 60_000))
    query = f"select=n&n=in.({many})&order=n&limit=2"
    answer = await client.post("/numbers?_method=query", content=query)
    assert (answer.status_code, answer.json()) == (200, [{"n": 10}, {"n": 11}])
    lines = await client.post(
        "/numbers?_method=query", content="n=lt.3\n", headers={"Accept": "text/csv"}
    )
    assert lines.text == "n\n1\n2"
    refused = await client.post("/numbers?_method=query", content="n=lt")
    assert (refused.status_code, refused.json()["code"]) == (400, "PGRST100")
    assert (await client.post("/numbers?_method=query", content="")).status_code == 200
