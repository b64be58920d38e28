"""Tables made, changed and dropped over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from support.licensed import LicensedMachine
from support.management import Api, execute, running_api

pytestmark = pytest.mark.anyio

TABLES = "/api/schemas/shop/tables"
COLUMNS = [
    {"name": "id", "type": "bigint", "identity": True, "primaryKey": True},
    {"name": "title", "type": "text", "nullable": False, "unique": True},
    {"name": "tags", "type": "text[]"},
    {"name": "state", "type": "text", "default": "it's new"},
    {"name": "stock", "type": "integer", "default": 7},
    {"name": "added", "type": "timestamptz", "default": "now()"},
    {"name": "author", "type": "integer", "references": {"table": "authors", "column": "id"}},
]


@pytest.fixture
async def api(database_url: str, machine: LicensedMachine) -> AsyncIterator[Api]:
    await execute(
        database_url, "CREATE SCHEMA shop; CREATE TABLE shop.authors (id int PRIMARY KEY)"
    )
    async with running_api(database_url, machine) as (api, _):
        key = await api.new_key("shop", "service_role")
        api.headers["apikey"] = key["key"]
        yield api


async def make(api: Api, **body: Any) -> httpx.Response:
    return await api.post(TABLES, json={"name": "books", "columns": COLUMNS, **body})


@pytest.mark.parametrize(
    "column",
    [
        {"name": "a", "type": "int4; DROP TABLE shop.authors"},
        {"name": "a", "type": "text[][]"},
        {"name": "a", "type": "regclass"},
        {"name": 'a"; --', "type": "text"},
        {"name": "1a", "type": "text"},
        {"name": "a" * 64, "type": "text"},
        {"name": "a", "type": "text", "identity": True},
        {"name": "a", "type": "integer", "identity": True, "default": 1},
        {"name": "a", "type": "text", "check": "true"},
        {"name": "a", "type": "text", "references": {"table": "x\0", "column": "id"}},
        {"name": "a"},
    ],
)
async def test_a_column_that_cannot_be_is_refused(api: Api, column: dict[str, Any]) -> None:
    answer = await make(api, columns=[column])
    assert (answer.status_code, answer.json()["code"]) == (400, "DBAPI300")
    assert (await api.get(f"{TABLES}/books")).status_code == 404


@pytest.mark.parametrize(
    ("column", "code"),
    [
        ({"name": "a", "type": "integer", "default": "x"}, "22P02"),
        ({"name": "a", "type": "text", "default": "'); DROP TABLE shop.authors; --"}, None),
        ({"name": "a", "type": "text", "default": "pg_sleep(9)"}, None),
        ({"name": "a", "type": "uuid", "default": "now()"}, "42804"),
        ({"name": "a", "type": "integer", "references": {"table": "no", "column": "id"}}, "42P01"),
    ],
)
async def test_a_default_is_a_value(api: Api, column: dict[str, Any], code: str | None) -> None:
    answer = await make(api, columns=[column])
    if code is not None:
        assert answer.json()["code"] == code
        return
    assert answer.status_code == 201
    made = await api.post("/rest/v1/books", json={}, headers={"Prefer": "return=representation"})
    assert made.json() == [{"a": column["default"]}]
    assert (await api.get("/rest/v1/authors")).status_code == 200


async def test_a_table_is_served_as_soon_as_it_is_made(api: Api, database_url: str) -> None:
    answer = await make(api, comment="What's read.")
    assert answer.status_code == 201
    assert answer.json()["data"] == {"schema": "shop", "name": "books"}
    row = {"title": "A", "tags": ["x"]}
    made = await api.post(
        "/rest/v1/books?select=id,title,tags,state,stock,author",
        json=row,
        headers={"Prefer": "return=representation"},
    )
    assert made.json() == [{"id": 1, **row, "state": "it's new", "stock": 7, "author": None}]
    shown = (await api.get(f"{TABLES}/books")).json()["data"]
    assert (shown["comment"], shown["primaryKey"]) == ("What's read.", ["id"])
    assert (await make(api)).json()["code"] == "42P07"
    connection = await asyncpg.connect(database_url)
    recorded = await connection.fetchrow(
        "SELECT actor, subject FROM db_api.audit WHERE action = 'table.created' ORDER BY id LIMIT 1"
    )
    await connection.close()
    assert recorded is not None
    assert recorded["subject"] == "table:shop.books"
    assert recorded["actor"].startswith("key:")


async def test_a_change_is_done_as_a_whole_or_not_at_all(api: Api) -> None:
    await make(api)
    refused = await api.patch(
        f"{TABLES}/books",
        json={"addColumns": [{"name": "x", "type": "text"}], "dropColumns": ["nosuch"]},
    )
    assert refused.json()["code"] == "42703"
    done = await api.patch(
        f"{TABLES}/books",
        json={
            "addColumns": [{"name": "x", "type": "numeric", "nullable": False, "default": 0.5}],
            "dropColumns": ["state"],
            "renameColumns": {"title": "name"},
            "comment": "",
            "renameTo": "works",
        },
    )
    assert done.json()["data"] == {"schema": "shop", "name": "works"}
    shown = (await api.get(f"{TABLES}/works")).json()["data"]
    names = [column["name"] for column in shown["columns"]]
    assert names == ["id", "name", "tags", "stock", "added", "author", "x"]
    assert (await api.get("/rest/v1/books")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"addColumns": [{"name": "x", "type": "text", "primaryKey": True}]},
        {"renameTo": "a b"},
        {"renameColumns": {"title": "x;"}},
        {"sql": "DROP TABLE shop.authors"},
    ],
)
async def test_a_change_that_is_none_is_refused(api: Api, body: dict[str, Any]) -> None:
    await make(api)
    answer = await api.patch(f"{TABLES}/books", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "DBAPI300")


async def test_a_table_is_dropped_once_that_is_confirmed(api: Api) -> None:
    await make(api)
    for confirm in ("", "?confirm=authors"):
        assert (await api.delete(f"{TABLES}/books{confirm}")).status_code == 400
    held = await api.delete(f"{TABLES}/authors?confirm=authors")
    assert held.json()["code"] == "2BP01"
    assert (await api.delete(f"{TABLES}/books?confirm=books")).status_code == 200
    assert (await api.get("/rest/v1/books")).status_code == 404
    gone = await api.delete(f"{TABLES}/books?confirm=books")
    assert (gone.status_code, gone.json()["code"]) == (404, "42P01")


async def test_protected_and_other_schemas_are_out_of_reach(api: Api) -> None:
    for schema in ("db_api", "pg_catalog", "public"):
        answer = await api.post(
            f"/api/schemas/{schema}/tables", json={"name": "x", "columns": COLUMNS}
        )
        assert answer.status_code == 403
