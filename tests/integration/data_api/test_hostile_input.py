"""Names and values that look for a hole: each is refused or means what it says, never a 5xx."""

import json
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote

import asyncpg
import httpx
import pytest

from support.shop import opened_shop

pytestmark = pytest.mark.anyio

NAMES: Final = (
    *("products;--", 'products"', "products'", "products\n", "products\t", "products\\", "\x00"),
    *("products/**/", 'shop"."products', "shop.products", "pg_catalog.pg_authid", "pg_authid"),
    *("$1", "%s", "{}", "*", "ctid", "xmin", "tableoid", "products.id", "id) OR (1=1"),
    *("é", "é", "цена", "表", "🙂", "\u202edrop", "A" * 63, "é" * 32, "A" * 64, "A" * 5000),
    *("(select 1)", "id::text) from pg_authid--", "id,(select 1)", "-1", "true", "null"),
)

VALUES: Final = (
    *("' or 1=1--", "'; drop table shop.products--", "\\'", "$$", "$1", "%s", "\x00", "a\x00b"),
    *("{}", "{{1},{2}}", '{"a', "[1,", "(", "NaN", "Infinity", "-0", "1e400", str(10**40)),
    *("9" * 5000, "2026-13-45", "-infinity", "1,2", "now()", "current_user", "\u202e", "🙂" * 100),
)

RAW: Final = ("%ED%A0%80", "%FF", "%C0%80", "%00", "%F4%90%80%80", "%", "%zz")
"""A lone surrogate, bytes that are no UTF-8, NUL, beyond Unicode, and broken escapes."""

NAME_PLACES: Final = (
    *("{}", "products?select={}", "products?select=a:{}", "products?select=id,{}(id)"),
    *("products?{}=eq.1", "products?order={}", "products?or=({}.eq.1)", "products?select=id::{}"),
    *("products?details->>{}=eq.1", "products?select=details->{}", "products?{}.id=eq.1", "rpc/{}"),
    *("products?select={}:id", "rpc/leak?{}=1", "products?id={}.1", "products?select=...{}(id)"),
)

VALUE_PLACES: Final = (
    *("products?id=eq.{}", "products?price=gt.{}", "products?name=like.{}", "products?tags=cs.{}"),
    *(
        "products?name=match.{}",
        "products?details=eq.{}",
        "products?mood=eq.{}",
        "products?id=in.({})",
    ),
    *("products?seen=lt.{}", "products?span=ov.{}", "products?active=is.{}", "products?limit={}"),
    *("products?offset={}", "products?name=fts.{}", "products?name=eq(any).{}", "products?or=({})"),
    *("products?name=fts({}).x", "products?code=eq.{}"),
)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def client(shared_shop: str) -> AsyncIterator[httpx.AsyncClient]:
    async with opened_shop(shared_shop) as opened:
        yield opened


@pytest.fixture(scope="module")
async def before(shared_shop: str) -> str:
    return await everything(shared_shop)


async def everything(url: str) -> str:
    """Read what no request of these tests may change: rows, and the names in the catalog."""
    connection = await asyncpg.connect(url)
    try:
        found: str = await connection.fetchval(
            "SELECT json_build_array("
            "(SELECT json_agg(p ORDER BY id) FROM shop.products p),"
            "(SELECT json_agg(oid::regclass ORDER BY oid) FROM pg_class"
            "  WHERE relnamespace = ANY ('{shop, other, public}'::regnamespace[])),"
            "(SELECT json_agg(rolname ORDER BY oid) FROM pg_roles"
            "  WHERE rolname !~ '^app_'))::text"  # those come and go with other tests
        )
    finally:
        await connection.close()
    return found


def require_an_answer(answer: httpx.Response) -> None:
    assert answer.status_code < 500, f"{answer.request.url}: {answer.text}"
    if answer.status_code >= 400:
        error = answer.json()
        assert list(error) == ["code", "message", "details", "hint"]
        is_query = "in tsquery" in error["message"]
        assert error["code"] != "42601" or is_query, f"broken SQL: {answer.request.url}"


@pytest.mark.parametrize("place", NAME_PLACES)
async def test_a_name_is_known_or_refused(
    client: httpx.AsyncClient, shared_shop: str, before: str, place: str
) -> None:
    for name in (*map(quote, NAMES), *RAW):
        require_an_answer(await client.get(place.format(name.replace("/", "%2F"))))

    assert await everything(shared_shop) == before


@pytest.mark.parametrize("place", VALUE_PLACES)
async def test_a_value_stays_a_value(
    client: httpx.AsyncClient, shared_shop: str, before: str, place: str
) -> None:
    for value in (*(quote(value, safe="") for value in VALUES), *RAW):
        require_an_answer(await client.get(place.format(value)))

    assert await everything(shared_shop) == before


@pytest.mark.parametrize("name", NAMES)
async def test_names_in_bodies_and_headers_are_known_or_refused(
    client: httpx.AsyncClient, shared_shop: str, before: str, name: str
) -> None:
    printable = quote(name)
    for request in (
        client.build_request("POST", "products", json={name: 1, "id": 1}),
        client.build_request("POST", f"products?columns={printable}", json={"id": 1}),
        client.build_request("POST", f"products?on_conflict={printable}", json={"id": 1}),
        client.build_request("PATCH", "products?id=eq.-1", json={name: 1}),
        client.build_request("DELETE", f"products?id=eq.-1&{printable}=eq.1"),
        client.build_request("POST", f"rpc/{printable.replace('/', '%2F')}", json={}),
        client.build_request("POST", "rpc/nothing", json={name: 1}),
        client.build_request("GET", "products", headers={b"Accept-Profile": name.encode()}),
        client.build_request("GET", "products", headers={"Prefer": f"count={printable}"}),
    ):
        require_an_answer(await client.send(request))

    assert await everything(shared_shop) == before


@pytest.mark.parametrize(
    "body",
    [
        *(b'{"name": "\\ud800"}', b'{"name": "a\\u0000b"}', b'{"details": {"a": "\\u0000"}}'),
        *(b'{"id": 1e400}', b'{"id": 1e40}', b'{"price": 1e999999999}', b'{"id": NaN}'),
        *(b'{"id": "\\"}', b"\xff\xfe{\x00}\x00", b'{"id": ' + b"9" * 5000 + b"}"),
        b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        json.dumps({f"k{number}": number for number in range(100_000)}).encode(),
    ],
    ids=range(12),
)
async def test_a_body_is_read_or_refused(
    client: httpx.AsyncClient, shared_shop: str, before: str, body: bytes
) -> None:
    answer = await client.post(
        "products", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code in {400, 409}
    require_an_answer(answer)
    assert await everything(shared_shop) == before
