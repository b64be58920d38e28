"""Several operations in one transaction, on a real PostgreSQL."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from support.licensed import LicensedMachine
from support.management import Api, execute, running_api

pytestmark = pytest.mark.anyio

TABLES = """
CREATE SCHEMA shop;
CREATE TABLE shop.notes (n int PRIMARY KEY, word text);
CREATE TABLE shop.links (n int REFERENCES shop.notes DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION shop.path() RETURNS text STABLE LANGUAGE sql
    AS $$ SELECT current_setting('request.method') || current_setting('request.path') $$;
CREATE FUNCTION shop.sneak() RETURNS int LANGUAGE sql
    AS $$ INSERT INTO shop.notes VALUES (99) RETURNING n $$;
"""
OBJECT = {"Accept": "application/vnd.pgrst.object+json"}
SHOWN = {"Prefer": "return=representation"}


@pytest.fixture
async def api(database_url: str, machine: LicensedMachine) -> AsyncIterator[Api]:
    await execute(database_url, TABLES)
    async with running_api(database_url, machine, KEY_BURST="60") as (api, _):
        key = await api.new_key("shop", "service_role")
        api.headers["apikey"] = key["key"]
        yield api


def operation(method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
    return {"method": method, "path": f"/rest/v1{path}", "body": body, "headers": headers}


async def batch(api: Api, *operations: dict[str, Any]) -> httpx.Response:
    return await api.post("/api/batch", json={"requests": operations})


async def numbers(api: Api) -> list[int]:
    return [row["n"] for row in (await api.get("/rest/v1/notes?order=n")).json()]


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [{"method": "GET"}],
        [{"method": "TRACE", "path": "/rest/v1/notes"}],
        [{"method": "GET", "path": "/api/schemas"}],
        [{"method": "GET", "path": "/rest/v1/../api/schemas"}],
        [{"method": "POST", "path": "/rest/v1/rpc/a/b"}],
        [{"method": "GET", "path": "/rest/v1/notes", "headers": {"Accept": "text/csv"}}],
        [{"method": "POST", "path": "/rest/v1/notes", "headers": {"Prefer": "tx=rollback"}}],
        [{"method": "GET", "path": "/rest/v1/notes"}] * 51,
    ],
)
async def test_what_is_no_batch_is_refused(api: Api, requests: list[dict[str, Any]]) -> None:
    answer = await api.post("/api/batch", json={"requests": requests})
    assert (answer.status_code, answer.json()["code"]) == (400, "DBAPI300")


@pytest.mark.parametrize(
    ("last", "status", "code"),
    [
        (operation("POST", "/notes", {"n": 1}), 409, "23505"),
        (operation("POST", "/notes", {"n": "x"}), 400, "22P02"),
        (operation("POST", "/nosuch", {}), 404, "PGRST205"),
        (operation("GET", "/notes?n=lt"), 400, "PGRST100"),
        (operation("DELETE", "/notes"), 400, "DBAPI420"),
        (operation("GET", "/notes?n=eq.1", **OBJECT), 200, None),
        (
            operation("GET", "/notes?n=eq.7", **OBJECT),
            406,
            "PGRST116",
        ),
    ],
)
async def test_one_that_fails_undoes_all(
    api: Api, last: dict[str, Any], status: int, code: str | None
) -> None:
    answer = await batch(
        api, operation("POST", "/notes", {"n": 1}), operation("POST", "/notes", {"n": 2}), last
    )
    assert answer.status_code == status
    if code is None:
        assert await numbers(api) == [1, 2]
        return
    assert answer.json()["code"] == code
    assert answer.json()["message"].startswith("requests[2]: ")
    assert await numbers(api) == []


async def test_what_is_deferred_is_checked_before_the_answer(api: Api) -> None:
    refused = await batch(api, operation("POST", "/links", {"n": 5}))
    assert (refused.status_code, refused.json()["code"]) == (409, "23503")
    done = await batch(
        api, operation("POST", "/links", {"n": 5}), operation("POST", "/notes", {"n": 5})
    )
    assert done.status_code == 200


async def test_each_sees_what_those_before_it_did(api: Api) -> None:
    answer = await batch(
        api,
        operation("POST", "/notes", [{"n": 1, "word": "a"}, {"n": 2, "word": "b"}]),
        operation("PATCH", "/notes?n=eq.1", {"word": "c"}, **SHOWN),
        operation("GET", "/notes?select=n,word&order=n", Prefer="count=exact"),
        operation("GET", "/rpc/path"),
        operation("DELETE", "/notes?n=eq.2"),
        operation("HEAD", "/notes"),
    )
    responses = answer.json()["responses"]
    assert [each["status"] for each in responses] == [201, 200, 200, 200, 204, 200]
    assert responses[0]["body"] is None
    assert responses[1]["body"] == [{"n": 1, "word": "c"}]
    assert responses[2]["body"] == [{"n": 1, "word": "c"}, {"n": 2, "word": "b"}]
    assert responses[2]["headers"]["Content-Range"] == "0-1/2"
    assert responses[3]["body"] == "GET/rpc/path"
    assert await numbers(api) == [1]


async def test_a_reading_operation_writes_nothing_among_writing_ones(api: Api) -> None:
    answer = await batch(api, operation("POST", "/notes", {"n": 1}), operation("GET", "/rpc/sneak"))
    assert (answer.status_code, answer.json()["code"]) == (405, "25006")
    assert await numbers(api) == []


async def test_anon_reads_in_batches_and_writes_in_none(api: Api) -> None:
    service = api.headers.pop("apikey")
    key = await api.new_key("shop", "anon", "anon")
    api.headers["apikey"] = service
    anon = {"apikey": key["key"]}
    reads = {"requests": [operation("GET", "/notes")] * 2}
    assert (await api.post("/api/batch", json=reads, headers=anon)).status_code == 200
    writes = {"requests": [operation("GET", "/notes"), operation("POST", "/notes", {"n": 1})]}
    refused = await api.post("/api/batch", json=writes, headers=anon)
    assert (refused.status_code, refused.json()["code"]) == (405, "25006")
    assert await numbers(api) == []


async def test_each_operation_is_counted(api: Api) -> None:
    many = [operation("GET", "/notes")] * 40
    assert (await batch(api, *many)).status_code == 200
    answer = await batch(api, *many)
    assert (answer.status_code, answer.json()["code"]) == (429, "DBAPI110")
