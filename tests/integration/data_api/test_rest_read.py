"""Reads through the routes, on a real PostgreSQL."""

from collections.abc import AsyncIterator
from urllib.parse import quote

import asyncpg
import httpx
import pytest

from db_api.callers import Caller
from support.shop import LONG_NAME, opened_shop

pytestmark = pytest.mark.anyio

ANVIL, BELL, CANDLE, DICE = 1, 2, 3, 4


@pytest.fixture
async def client(shared_shop: str) -> AsyncIterator[httpx.AsyncClient]:
    async with opened_shop(shared_shop) as client:
        yield client


async def ids(client: httpx.AsyncClient, query: str) -> list[int]:
    answer = await client.get(f"/products?select=id&order=id&{query}")
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()]


@pytest.mark.parametrize("code", ["PT204", "PT205", "PT304"])
async def test_a_status_without_a_body_is_answered_without_one(shop: str, code: str) -> None:
    connection = await asyncpg.connect(shop)
    await connection.execute(
        f"""
        CREATE FUNCTION shop.end_it() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
            RAISE SQLSTATE '{code}';
        END $$;
        CREATE VIEW shop.ending AS SELECT shop.end_it() AS n;
        """
    )
    await connection.close()
    async with opened_shop(shop) as client:
        answer = await client.get("/ending")
    assert (answer.status_code, answer.content) == (int(code[2:]), b"")
    assert "content-length" not in answer.headers


async def test_a_schema_of_any_script_may_be_named_by_its_key(shop: str) -> None:
    connection = await asyncpg.connect(shop)
    await connection.execute('CREATE SCHEMA "цена"; CREATE TABLE "цена".t (n int)')
    await connection.close()
    async with opened_shop(shop, Caller("цена", "anon", "")) as client:
        answer = await client.get("/t", headers={b"Accept-Profile": "цена".encode()})
    assert (answer.status_code, answer.text) == (200, "[]")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("nosuch", None),
        ("secrets", None),
        ("other.secrets", None),
        ("Products", "products"),
        ("products;--", "products"),
    ],
)
async def test_a_table_outside_the_schema_is_not_there(
    client: httpx.AsyncClient, name: str, meant: str | None
) -> None:
    answer = await client.get(f"/{quote(name)}")
    assert answer.status_code == 404
    assert answer.json() == {
        "code": "PGRST205",
        "message": f"Could not find the table 'shop.{name}' in the schema cache",
        "details": None,
        "hint": meant and f"Perhaps you meant the table 'shop.{meant}'",
    }


@pytest.mark.parametrize(
    "name",
    ["users;--", 'users"', "users\n", "é", "a" * 64, LONG_NAME + "n", "pg_catalog.pg_authid", "\0"],
)
@pytest.mark.parametrize(
    "place", ["/{}", "/products?select={}", "/products?order={}", "/products?{}=eq.1"]
)
async def test_a_hostile_name_is_refused(client: httpx.AsyncClient, place: str, name: str) -> None:
    answer = await client.get(place.format(quote(f'"{name}"' if "?" in place else name, safe="")))
    assert answer.status_code in {400, 404}
    assert set(answer.json()) == {"code", "message", "details", "hint"}


@pytest.mark.parametrize("path", ["/products/1", "/rpc/leak/1", "/products/", "/a/b/c"])
async def test_a_deeper_path_is_not_there(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "PGRST125")


@pytest.mark.parametrize("method", ["TRACE"])
async def test_a_method_that_is_not_served_is_refused(
    client: httpx.AsyncClient, method: str
) -> None:
    answer = await client.request(method, "/products")
    assert (answer.status_code, answer.json()["code"]) == (405, "PGRST117")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("%00", "22021"),
        ("%ed%a0%80", "PGRST100"),
        ("1" + "0" * 40, "22003"),
        ("NaN", "22P02"),
        ("1.5", "22P02"),
        ("{}", "22P02"),
        ("' or 1=1--", "22P02"),
    ],
)
@pytest.mark.parametrize("operator", ["eq.{}", "lt.{}", "in.({})", "isdistinct.{}"])
async def test_a_value_that_is_no_integer_is_the_clients_mistake(
    client: httpx.AsyncClient, operator: str, value: str, code: str
) -> None:
    answer = await client.get(f"/products?id={operator.format(value)}")
    assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_a_hostile_text_is_only_compared(client: httpx.AsyncClient) -> None:
    for text in ("' or 1=1--", "{}", "[[]]", "$1", "'; drop table products; --", "\\", '"'):
        assert await ids(client, f"name=eq.{quote(text)}") == []


async def test_a_missing_column_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.get("/products?colour=eq.red")
    assert answer.status_code == 400
    assert answer.json()["code"] == "42703"
    assert answer.json()["message"] == "column products.colour does not exist"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("id=eq.1", [ANVIL]),
        ("id=neq.1", [BELL, CANDLE, DICE]),
        ("price=gt.5", [ANVIL]),
        ("price=gte.5", [ANVIL, BELL]),
        ("price=lt.5", [CANDLE]),
        ("price=lte.5", [BELL, CANDLE]),
        ("price=eq.-1", []),
        ("name=like.*,*", [BELL]),
        ("name=like.A_vil", [ANVIL]),
        ("name=ilike.*A*", [ANVIL, BELL, CANDLE]),
        ("name=match.^[AB]", [ANVIL, BELL]),
        ("name=imatch.^[ab]", [ANVIL, BELL]),
        ('name=in.("Bell, small",Anvil)', [ANVIL, BELL]),
        ('name=in.("Candle (red)")', [CANDLE]),
        ('name=in.("\\"Dice\\"")', [DICE]),
        ('name=eq."Dice"', [DICE]),
        ("id=in.(1,3)", [ANVIL, CANDLE]),
        ("id=in.()", []),
        ("id=not.in.(1,3)", [BELL, DICE]),
        ("price=is.null", [DICE]),
        ("price=not.is.null", [ANVIL, BELL, CANDLE]),
        ("price=is.not_null", [ANVIL, BELL, CANDLE]),
        ("active=is.true", [ANVIL, DICE]),
        ("active=is.false", [BELL]),
        ("active=is.unknown", [CANDLE]),
        ("mood=isdistinct.happy", [ANVIL, CANDLE]),
        ("mood=not.isdistinct.happy", [BELL, DICE]),
        ("mood=gt.sad", [BELL, DICE]),
        ("code=eq.AB", [ANVIL]),
        ("code=eq.ABxx", []),
        ("seen=gte.2026-02-01", [BELL, DICE]),
        ("span=cs.[2,3]", [ANVIL]),
        ("span=ov.[4,6]", [ANVIL, BELL]),
        ("span=adj.[9,20)", [BELL, CANDLE]),
        ("span=sl.[9,10]", [ANVIL, BELL]),
        ("span=sr.[9,10]", [CANDLE]),
        ("span=nxr.[1,8]", [ANVIL, BELL]),
        ("span=nxl.[5,6]", [BELL, CANDLE]),
        ("tags=cs.{iron}", [ANVIL, BELL]),
        ("tags=cd.{iron}", [BELL, CANDLE]),
        ("tags=eq.{}", [CANDLE]),
        ("id=eq(any).{1,4}", [ANVIL, DICE]),
        ("id=gt(all).{1,2}", [CANDLE, DICE]),
        ("name=like(any).{A*,*small}", [ANVIL, BELL]),
        ("name=ilike(all).{*a*,*l*}", [ANVIL, BELL, CANDLE]),
        ("id=not.eq(any).{1,4}", [BELL, CANDLE]),
        ("id=gt.1&id=lt.4", [BELL, CANDLE]),
        ("or=(id.eq.1,id.eq.4)", [ANVIL, DICE]),
        ("or=(id.eq.1,and(price.lt.6,active.is.false))", [ANVIL, BELL]),
        ("not.or=(id.eq.1,id.eq.4)", [BELL, CANDLE]),
        ("and=(id.gt.1,not.or(id.eq.2,id.eq.3))", [DICE]),
        ('or=(name.eq."Bell, small",name.like.*vil)', [ANVIL, BELL]),
        ("or=(tags.cs.{iron,heavy},id.in.(3,4))", [ANVIL, CANDLE, DICE]),
        ("details->a->>b=eq.x", [ANVIL]),
        ("details->n=eq.[3]", [BELL]),
        ("details->n->>0=eq.1", [ANVIL]),
        ("details->n->>-1=in.(2,3)", [ANVIL, BELL]),
        ("raw->>k=gt.1", [BELL]),
        ("tags->>0=eq.iron", [ANVIL, BELL]),
        ("details->a->>b=is.null", [CANDLE, DICE]),
        ("doubled=eq.40", [BELL]),
    ],
)
async def test_a_filter_keeps_the_rows_it_says(
    client: httpx.AsyncClient, condition: str, expected: list[int]
) -> None:
    assert await ids(client, condition) == expected


async def test_an_operator_that_the_type_lacks_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.get("/products?id=like.1")
    assert (answer.status_code, answer.json()["code"]) == (404, "42883")


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ("id,name", {"id": 1, "name": "Anvil"}),
        ("label:name,id", {"label": "Anvil", "id": 1}),
        ("id::text", {"id": "1"}),
        ("price::int", {"price": 100}),
        ("mood::text", {"mood": "sad"}),
        ("kind:mood::mood", {"kind": "sad"}),
        ("details->a->>b", {"b": "x"}),
        ("first:details->n->0", {"first": 1}),
        ("details->n->>1", {"n": "2"}),
        ("raw->k", {"k": 1}),
        ("tags->1", {"tags": "heavy"}),
        ("details->n->>1::int", {"n": 2}),
        ("seen", {"seen": "2026-01-02T03:04:05+00:00"}),
        ("code,span", {"code": "AB ", "span": "[1,5)"}),
    ],
)
async def test_a_selection_shows_what_it_names(
    client: httpx.AsyncClient, select: str, expected: dict[str, object]
) -> None:
    answer = await client.get(f"/products?select={select}&id=eq.1")
    assert answer.json() == [expected]
    assert list(answer.json()[0]) == list(expected)


async def test_without_a_selection_every_column_is_shown_in_order(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/products?id=eq.4")
    assert list(answer.json()[0])[:4] == ["id", "name", "price", "stock"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("price", [CANDLE, BELL, ANVIL, DICE]),
        ("price.desc", [DICE, ANVIL, BELL, CANDLE]),
        ("price.desc.nullslast", [ANVIL, BELL, CANDLE, DICE]),
        ("price.nullsfirst", [DICE, CANDLE, BELL, ANVIL]),
        ("mood.nullslast,id.desc", [ANVIL, DICE, BELL, CANDLE]),
        ("details->n->0.desc.nullslast,id", [BELL, ANVIL, CANDLE, DICE]),
        ("raw->>k.nullsfirst,id", [CANDLE, DICE, ANVIL, BELL]),
    ],
)
async def test_rows_come_in_the_order_asked_for(
    client: httpx.AsyncClient, order: str, expected: list[int]
) -> None:
    answer = await client.get(f"/products?select=id&order={order}")
    assert [row["id"] for row in answer.json()] == expected


@pytest.mark.parametrize(("profile", "status"), [("public", 200), ("shop", 200), ("other", 406)])
async def test_public_is_an_alias_of_the_keys_schema(
    client: httpx.AsyncClient, profile: str, status: int
) -> None:
    answer = await client.get("/products?id=eq.1", headers={"Accept-Profile": profile})
    assert answer.status_code == status
    if status == 406:
        assert answer.json()["code"] == "PGRST106"
    else:
        assert answer.headers["Content-Profile"] == profile


async def test_any_name_that_exists_works(client: httpx.AsyncClient) -> None:
    table = quote('odd "name; --')
    column = quote('"na\\"me; --"')
    answer = await client.get(f"/{table}?select={column},x:цена&{column}=eq.x&order={column}")
    assert answer.json() == [{'na"me; --': "x", "x": 1}]
    assert (await client.get(f"/{LONG_NAME}?select={LONG_NAME}")).json() == []


async def test_columns_may_be_called_like_the_parts_of_our_statements(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/page?select=page,t,r,body:page,rows:t&page=eq.1&order=t")
    assert answer.json() == [{"page": 1, "t": 2, "r": 3, "body": 1, "rows": 2}]


async def test_a_view_is_read_like_a_table(client: httpx.AsyncClient) -> None:
    answer = await client.get("/cheap?order=id.desc&select=id")
    assert answer.json() == [{"id": CANDLE}, {"id": BELL}]


async def test_an_empty_result_is_an_empty_array(client: httpx.AsyncClient) -> None:
    assert (await client.get("/contacts")).content == b"[]"
