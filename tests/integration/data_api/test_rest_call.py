"""Functions under `/rest/v1/rpc`, on a real PostgreSQL."""

from collections.abc import AsyncIterator
from json import loads
from typing import Any

import asyncpg
import httpx
import pytest

from support.shop import ANON, Settings, opened_shop

pytestmark = pytest.mark.anyio

OBJECT = {"Accept": "application/vnd.pgrst.object+json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

FUNCTIONS = """
SET search_path = shop;
CREATE FUNCTION plus(a int, b int DEFAULT 10) RETURNS int IMMUTABLE LANGUAGE sql
    AS $$ SELECT a + b $$;
CREATE FUNCTION nothing() RETURNS int STABLE LANGUAGE sql AS $$ SELECT null::int $$;
CREATE FUNCTION upto(n int) RETURNS SETOF int STABLE LANGUAGE sql
    AS $$ SELECT generate_series(1, n) $$;
CREATE FUNCTION joined(sep text, VARIADIC words text[]) RETURNS text IMMUTABLE LANGUAGE sql
    AS $$ SELECT array_to_string(words, sep) $$;
CREATE FUNCTION cheaper(than numeric) RETURNS SETOF products STABLE LANGUAGE sql
    AS $$ SELECT * FROM products WHERE price < than $$;
CREATE FUNCTION first_product() RETURNS products STABLE LANGUAGE sql
    AS $$ SELECT * FROM products ORDER BY id LIMIT 1 $$;
CREATE FUNCTION halves(n int, OUT half int, OUT rest int) IMMUTABLE LANGUAGE sql
    AS $$ SELECT n / 2, n % 2 $$;
CREATE FUNCTION letters() RETURNS TABLE (letter text, place int) IMMUTABLE LANGUAGE sql
    AS $$ VALUES ('a', 1), ('b', 2), ('c', 3) $$;
CREATE FUNCTION add_number(n int) RETURNS void LANGUAGE sql AS $$ INSERT INTO numbers VALUES (n) $$;
CREATE FUNCTION drop_numbers(above int) RETURNS SETOF numbers LANGUAGE sql
    AS $$ DELETE FROM numbers WHERE n > above RETURNING * $$;
CREATE FUNCTION echo(json) RETURNS json IMMUTABLE LANGUAGE sql AS $$ SELECT $1 $$;
CREATE FUNCTION length_of(bytea) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT length($1) $$;
CREATE FUNCTION shout(text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT upper($1) $$;
CREATE FUNCTION many(x int) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'int' $$;
CREATE FUNCTION many(x text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'text' $$;
CREATE FUNCTION "odd ""name"("an ""arg" text) RETURNS text IMMUTABLE LANGUAGE sql
    AS $$ SELECT "an ""arg" $$;
CREATE FUNCTION pay() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    RAISE SQLSTATE 'PT402' USING MESSAGE = 'Payment Required', DETAIL = 'Quota', HINT = 'Pay.';
END $$;
CREATE FUNCTION seen(name text) RETURNS text STABLE LANGUAGE sql
    AS $$ SELECT nullif(current_setting(name, true), '') $$;
CREATE FUNCTION asleep() RETURNS void LANGUAGE sql AS $$ SELECT pg_sleep(30) $$;
"""


@pytest.fixture
async def called(shop: str) -> str:
    connection = await asyncpg.connect(shop)
    await connection.execute(FUNCTIONS)
    await connection.close()
    return shop


@pytest.fixture
async def client(called: str) -> AsyncIterator[httpx.AsyncClient]:
    async with opened_shop(called) as client:
        yield client


async def test_anon_reads_by_functions_and_writes_by_none(called: str) -> None:
    async with opened_shop(called, ANON) as anon:
        read = await anon.post("/rpc/plus", json={"a": 1})
        written = await anon.post("/rpc/add_number", json={"n": 99})
        numbers = await anon.get("/numbers?n=eq.99")
    assert read.json() == 11
    assert (written.status_code, written.json()["code"]) == (405, "25006")
    assert numbers.json() == []


async def test_reading_methods_write_nothing(client: httpx.AsyncClient) -> None:
    for method in ("GET", "HEAD"):
        answer = await client.request(method, "/rpc/add_number?n=99")
        assert answer.status_code == 405
    assert (await client.get("/numbers?n=eq.99")).json() == []


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
async def test_functions_are_called_by_get_and_post(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/rpc/plus?a=1", json={})
    assert (answer.status_code, answer.json()["code"]) == (405, "PGRST101")


@pytest.mark.parametrize(
    ("path", "message", "hint"),
    [
        ("plas?a=1", "Could not find the function shop.plas(a) in the schema cache", "shop.plus"),
        ("plus", "Could not find the function shop.plus without parameters in the", "shop.plus("),
        ("plus?a=1&c=2", "Could not find the function shop.plus(a, c) in the", "shop.plus(a, b)"),
        ("refuse", "Could not find the function shop.refuse without parameters in", "shop."),
    ],
)
async def test_what_cannot_be_called_is_named(
    client: httpx.AsyncClient, path: str, message: str, hint: str
) -> None:
    answer = await client.get(f"/rpc/{path}")
    refusal = answer.json()
    assert (answer.status_code, refusal["code"]) == (404, "PGRST202")
    assert refusal["message"].startswith(message)
    assert refusal["details"].startswith("Searched for the function shop.")
    assert refusal["hint"] is None or hint in refusal["hint"]


async def test_functions_of_other_schemas_are_not_there(client: httpx.AsyncClient) -> None:
    for name in ("pg_sleep?seconds=9", "pg_read_file?filename=x", "set_config"):
        assert (await client.get(f"/rpc/{name}")).status_code == 404


async def test_an_argument_that_is_no_value_of_its_type_is_refused(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/rpc/plus", json={"a": "one"})
    assert (answer.status_code, answer.json()["code"]) == (400, "22P02")


async def test_two_functions_that_take_the_same_names_are_ambiguous(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/rpc/many?x=1")
    assert (answer.status_code, answer.json()["code"]) == (300, "PGRST203")
    assert "shop.many(x => integer), shop.many(x => text)" in answer.json()["message"]


@pytest.mark.parametrize(
    ("arguments", "result"),
    [({"a": 1}, 11), ({"a": 1, "b": 2}, 3), ({"b": 2, "a": "1"}, 3), ({"a": None}, None)],
)
async def test_arguments_go_by_name(
    client: httpx.AsyncClient, arguments: dict[str, Any], result: int | None
) -> None:
    posted = await client.post("/rpc/plus", json=arguments)
    assert (posted.status_code, posted.json()) == (200, result)


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("plus?a=1&b=2", 3),
        ("plus?a=9&a=1", 11),
        ("nothing", None),
        ("upto?n=3", [1, 2, 3]),
        ("upto?n=0", []),
        ("upto?n=5&limit=2&offset=1", [2, 3]),
        ("joined?sep=-&words=a&words=b", "a-b"),
        ("joined?sep=-&words=a", "a"),
        ("halves?n=7", {"half": 3, "rest": 1}),
        ("halves?n=7&select=rest", {"rest": 1}),
        ("letters?place=gt.1&order=place.desc&select=letter", [{"letter": "c"}, {"letter": "b"}]),
        ("letters?or=(place.eq.1,letter.eq.c)&select=place", [{"place": 1}, {"place": 3}]),
        (
            "cheaper?than=6&select=name&order=id",
            [{"name": "Bell, small"}, {"name": "Candle (red)"}],
        ),
        ("cheaper?than=6&id=eq.2&select=id,tags(word)", [{"id": 2, "tags": []}]),
        ("first_product?select=id,name", {"id": 1, "name": "Anvil"}),
        ("odd%20%22name?an%20%22arg=x", "x"),
    ],
)
async def test_what_a_function_returns_is_read_as_a_table_is(
    client: httpx.AsyncClient, path: str, result: object
) -> None:
    answer = await client.get(f"/rpc/{path}")
    assert (answer.status_code, answer.json()) == (200, result)


async def test_a_value_that_looks_like_a_filter_is_one(client: httpx.AsyncClient) -> None:
    answer = await client.get("/rpc/cheaper?than=100&than=eq.5")
    assert (answer.status_code, answer.json()["code"]) == (400, "42703")


async def test_the_rows_of_a_function_are_counted_and_paged(client: httpx.AsyncClient) -> None:
    answer = await client.get("/rpc/upto?n=9&limit=2", headers={"Prefer": "count=exact"})
    assert (answer.status_code, answer.headers["Content-Range"]) == (206, "0-1/9")
    head = await client.head("/rpc/upto?n=9", headers={"Prefer": "count=exact"})
    assert (head.headers["Content-Range"], head.content) == ("0-8/9", b"")


async def test_one_row_comes_without_the_array(client: httpx.AsyncClient) -> None:
    one = await client.get("/rpc/cheaper?than=2&select=id", headers=OBJECT)
    several = await client.get("/rpc/cheaper?than=6", headers=OBJECT)
    assert one.json() == {"id": 3}
    assert (several.status_code, several.json()["code"]) == (406, "PGRST116")


async def test_a_function_that_returns_nothing_answers_204(client: httpx.AsyncClient) -> None:
    answer = await client.post("/rpc/add_number", json={"n": 99})
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Type" not in answer.headers
    assert (await client.get("/numbers?n=eq.99")).json() == [{"n": 99}]


async def test_a_function_that_changes_too_much_changes_nothing(client: httpx.AsyncClient) -> None:
    strict = {"Prefer": "handling=strict, max-affected=2"}
    refused = await client.post("/rpc/drop_numbers", json={"above": 47}, headers=strict)
    assert refused.json()["code"] == "PGRST124"
    done = await client.post("/rpc/drop_numbers", json={"above": 48}, headers=strict)
    assert done.json() == [{"n": 49}, {"n": 50}]
    scalar = await client.post("/rpc/plus", json={"a": 1}, headers=strict)
    assert scalar.json()["code"] == "PGRST128"


async def test_a_body_is_the_argument_without_a_name(client: httpx.AsyncClient) -> None:
    for body in ({"any": [1, {"thing": None}]}, [1, 2], "text", 7):
        assert (await client.post("/rpc/echo", json=body)).json() == body
    text = {"Content-Type": "text/plain"}
    assert (await client.post("/rpc/shout", content="ab", headers=text)).json() == "AB"
    binary = {"Content-Type": "application/octet-stream"}
    data = b"\x00\xff'"
    assert (await client.post("/rpc/length_of", content=data, headers=binary)).json() == len(data)
    named = await client.post("/rpc/plus", content="1", headers=text)
    assert named.json()["code"] == "PGRST202"


async def test_arguments_come_as_a_form_and_are_chosen_by_columns(
    client: httpx.AsyncClient,
) -> None:
    form = await client.post("/rpc/joined", content="sep=+&words=a&words=b", headers=FORM)
    assert form.json() == "a b"
    chosen = await client.post("/rpc/plus?columns=a", json={"a": 1, "b": 5, "c": 0})
    assert chosen.json() == 11


@pytest.mark.parametrize("body", ["", "{}"])
async def test_a_call_without_arguments_needs_no_body(client: httpx.AsyncClient, body: str) -> None:
    json = {"Content-Type": "application/json"}
    answer = await client.post("/rpc/letters?select=place", content=body, headers=json)
    assert answer.json() == [{"place": 1}, {"place": 2}, {"place": 3}]


@pytest.mark.parametrize("body", ['{"a":', "a=1", "{'a': 1}", '{"a": 1} x'])
async def test_a_body_that_is_no_json_is_refused(client: httpx.AsyncClient, body: str) -> None:
    json = {"Content-Type": "application/json"}
    answer = await client.post("/rpc/plus", content=body, headers=json)
    assert (answer.status_code, answer.json()["code"]) == (400, "PGRST102")


async def test_functions_see_the_request_and_no_credential(
    client: httpx.AsyncClient,
) -> None:
    async def seen(name: str, **headers: str) -> str | None:
        answer = await client.get(f"/rpc/seen?name={name}", headers=headers)
        found: str | None = answer.json()
        return found

    assert await seen("request.method") == "GET"
    assert await seen("request.path") == "/rpc/seen"
    quoted = 'it\'s \\ "x"; DROP TABLE shop.numbers; --'
    headers = await seen("request.headers", **{"X-Tenant": quoted, "apikey": "canary-key"})
    assert headers is not None
    assert loads(headers)["x-tenant"] == quoted
    assert "canary-key" not in headers
    cookies = await seen("request.cookies", Cookie="a=1; b=it's")
    assert cookies is not None
    assert loads(cookies) == {"a": "1", "b": "it's"}
    assert await seen("request.cookies") is None


async def test_a_function_chooses_its_status(client: httpx.AsyncClient) -> None:
    answer = await client.post("/rpc/pay")
    assert answer.status_code == 402
    assert answer.json() == {
        "code": "PT402",
        "message": "Payment Required",
        "details": "Quota",
        "hint": "Pay.",
    }


async def test_a_function_that_takes_too_long_is_stopped(called: str) -> None:
    async with opened_shop(called, settings=Settings(statement_timeout_ms=200)) as client:
        answer = await client.post("/rpc/asleep")
        assert (answer.status_code, answer.json()["code"]) == (504, "57014")
        assert (await client.post("/rpc/plus", json={"a": 1})).json() == 11


async def test_a_new_function_is_found_at_once(client: httpx.AsyncClient, called: str) -> None:
    assert (await client.get("/rpc/fresh")).status_code == 404
    connection = await asyncpg.connect(called)
    await connection.execute(
        "CREATE FUNCTION shop.fresh() RETURNS int STABLE LANGUAGE sql AS 'SELECT 1'"
    )
    await connection.close()
    async with opened_shop(called) as other:
        assert (await other.get("/rpc/fresh")).json() == 1


async def test_options_name_the_methods(client: httpx.AsyncClient) -> None:
    async def allowed(path: str) -> str:
        answer = await client.options(path)
        assert (answer.status_code, answer.content) == (200, b"")
        return answer.headers["Allow"]

    assert await allowed("/products") == "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"
    assert await allowed("/tags") == "OPTIONS,GET,HEAD,POST,PATCH,DELETE"
    assert await allowed("/rpc/plus") == "OPTIONS,GET,HEAD,POST"
    assert await allowed("/rpc/add_number") == "OPTIONS,POST"
    for path in ("/nosuch", "/rpc/nosuch"):
        assert (await client.options(path)).status_code == 404
