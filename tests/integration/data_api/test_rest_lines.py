"""Rows as lines of text: CSV and NDJSON, on a real PostgreSQL."""

import csv
import io
import json
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from support.shop import ANON, Settings, opened_shop

pytestmark = pytest.mark.anyio

CSV = {"Accept": "text/csv"}
NDJSON = {"Accept": "application/x-ndjson"}
SHOWN = {"Prefer": "return=representation"}

AWKWARD = {
    "plain": "x",
    "comma": "a,b",
    "quote": 'say "hi"',
    "lines": "one\r\ntwo",
    "backslash": r"C:\new $1",
    "empty": "",
    "null": None,
}


@pytest.fixture
async def client(shop: str) -> AsyncIterator[httpx.AsyncClient]:
    connection = await asyncpg.connect(shop)
    columns = ", ".join(f"{name} text" for name in AWKWARD if name != "null")
    await connection.execute(f'CREATE TABLE shop.awkward ({columns}, "null" text)')
    await connection.execute(
        f"INSERT INTO shop.awkward VALUES ({', '.join(f'${n}' for n in range(1, 8))})",
        *AWKWARD.values(),
    )
    await connection.execute(
        'CREATE TABLE shop."dear $1" ("price $1" int, "a,b" text);'
        """INSERT INTO shop."dear $1" VALUES (1, 'x'), (2, 'y')"""
    )
    await connection.execute("CREATE TABLE shop.spaced (j json)")
    await connection.execute("INSERT INTO shop.spaced VALUES ($1)", '{"a":\n [1,\r\n "\\n"]}')
    await connection.close()
    async with opened_shop(shop) as client:
        yield client


async def test_a_row_survives_csv(client: httpx.AsyncClient) -> None:
    answer = await client.get("/awkward", headers=CSV)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Range"] == "0-0/*"
    heading, row = csv.reader(io.StringIO(answer.text, newline=""))
    assert heading == list(AWKWARD)
    assert row == [value or "" for value in AWKWARD.values()]


async def test_null_and_the_empty_text_differ_in_csv(client: httpx.AsyncClient) -> None:
    answer = await client.get("/awkward?select=null,empty", headers=CSV)
    assert answer.text == 'null,empty\n,""'


async def test_csv_of_no_rows_is_its_heading(client: httpx.AsyncClient) -> None:
    answer = await client.get("/awkward?plain=eq.nothing&select=plain,lines", headers=CSV)
    assert (answer.text, answer.headers["Content-Range"]) == ("plain,lines\n"[:-1], "*/*")


@pytest.mark.parametrize("accept", [CSV, NDJSON])
async def test_values_stay_values(client: httpx.AsyncClient, accept: dict[str, str]) -> None:
    for value in ("1'); DROP TABLE shop.numbers; --", "$1", "\\'", "\\", "E'", "''", "🙂", "%00"):
        answer = await client.get("/awkward", params={"plain": f"eq.{value}"}, headers=accept)
        assert answer.status_code == 200
    nul = await client.get("/awkward?plain=eq.%00", headers=accept)
    assert (nul.status_code, nul.json()["code"]) == (400, "22021")
    listed = await client.get('/awkward?plain=in.(x,"a,b","\\"")&select=plain', headers=CSV)
    assert listed.text == "plain\nx"


async def test_names_that_look_like_parameters_stay_names(client: httpx.AsyncClient) -> None:
    answer = await client.get("/dear%20$1?price%20$1=gt.1", headers=CSV)
    assert answer.text == 'price $1,"a,b"\n2,y'


async def test_each_row_is_one_line_of_json(client: httpx.AsyncClient) -> None:
    answer = await client.get("/awkward", headers=NDJSON)
    assert answer.headers["Content-Type"] == "application/x-ndjson; charset=utf-8"
    assert answer.content.count(b"\n") == 1
    assert json.loads(answer.content) == AWKWARD
    spaced = await client.get("/spaced", headers=NDJSON)
    assert spaced.content.count(b"\n") == 1
    assert json.loads(spaced.content) == {"j": {"a": [1, "\n"]}}


async def test_pages_filters_and_related_rows_are_those_of_json(client: httpx.AsyncClient) -> None:
    path = "/products?select=id,tags(word)&id=lt.4&order=id.desc&limit=2&offset=1"
    lines = (await client.get(path, headers=NDJSON)).text.splitlines()
    assert [json.loads(line) for line in lines] == (await client.get(path)).json()


async def test_rows_are_counted_when_that_is_wanted(client: httpx.AsyncClient) -> None:
    exact = {"Prefer": "count=exact"}
    page = await client.get("/numbers?limit=2&order=n", headers=CSV | exact)
    assert (page.status_code, page.headers["Content-Range"]) == (206, "0-1/50")
    past = await client.get("/numbers?offset=60", headers=CSV | exact)
    assert (past.status_code, past.json()["code"]) == (416, "PGRST103")


async def test_the_cap_of_rows_is_not_for_lines(shop: str) -> None:
    async with opened_shop(shop, settings=Settings(max_rows=10)) as client:
        assert len((await client.get("/numbers")).json()) == 10
        assert (await client.get("/numbers", headers=CSV)).text.count("\n") == 50


async def test_anon_reads_no_more_bytes_than_allowed(shop: str) -> None:
    async with opened_shop(shop, ANON, Settings(max_stream_bytes=100)) as anon:
        assert (await anon.get("/numbers?limit=9", headers=CSV)).status_code == 200
        answer = await anon.get("/numbers", headers=CSV)
    assert (answer.status_code, answer.json()["code"]) == (413, "DBAPI430")


async def test_what_is_refused_as_json_is_refused_as_lines(client: httpx.AsyncClient) -> None:
    for path, code in (("/nosuch", "PGRST205"), ("/numbers?x=eq.1", "42703")):
        answer = await client.get(path, headers=CSV)
        assert answer.json()["code"] == code


async def test_rows_that_do_not_come_are_not_waited_for(shop: str) -> None:
    async with opened_shop(shop, settings=Settings(statement_timeout_ms=200)) as client:
        answer = await client.get("/slow", headers=CSV)
        assert (answer.status_code, answer.json()["code"]) == (504, "DBAPI402")
        assert (await client.get("/numbers?n=eq.1", headers=CSV)).text == "n\n1"


async def test_written_rows_come_as_lines(client: httpx.AsyncClient) -> None:
    rows = [{"n": 101}, {"n": 102}]
    posted = await client.post("/numbers", json=rows, headers=CSV | SHOWN)
    assert (posted.status_code, posted.text) == (201, "n\n101\n102")
    row = {**AWKWARD, "plain": "y"}
    written = await client.post("/awkward?select=*", json=row, headers=CSV | SHOWN)
    read = await client.get("/awkward?plain=eq.y", headers=CSV)
    assert written.text == read.text
    patched = await client.patch("/numbers?n=eq.101", json={"n": 103}, headers=NDJSON | SHOWN)
    assert patched.text == '{"n":103}\n'
    deleted = await client.delete("/numbers?n=gt.101", headers=CSV | SHOWN)
    assert sorted(deleted.text.split()) == ["102", "103", "n"]


async def test_functions_answer_in_lines(shop: str) -> None:
    connection = await asyncpg.connect(shop)
    await connection.execute(
        "CREATE FUNCTION shop.two() RETURNS TABLE (a int, b text) STABLE LANGUAGE sql"
        " AS $$ VALUES (1, 'x,y'), (2, null) $$"
    )
    await connection.close()
    async with opened_shop(shop) as fresh:
        assert (await fresh.get("/rpc/two", headers=CSV)).text == 'a,b\n1,"x,y"\n2,'
        assert (await fresh.get("/rpc/two?select=a", headers=NDJSON)).text == '{"a":1}\n{"a":2}\n'
