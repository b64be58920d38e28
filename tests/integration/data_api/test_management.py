from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from support.licensed import LicensedMachine
from support.management import Api, execute, running_api

pytestmark = pytest.mark.anyio

TABLES = """
CREATE SCHEMA shop;
CREATE TABLE shop.makers (id int PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE shop.items (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name varchar(40) NOT NULL,
    maker int REFERENCES shop.makers,
    price numeric(10, 2) DEFAULT 0
);
CREATE INDEX items_name ON shop.items (name);
COMMENT ON TABLE shop.items IS 'What is sold';
COMMENT ON COLUMN shop.items.price IS 'In euro';
CREATE SCHEMA warehouse;
CREATE TABLE warehouse.shelves (id int);
"""


@pytest.fixture
async def api(database_url: str, machine: LicensedMachine) -> AsyncIterator[Api]:
    await execute(database_url, TABLES)
    async with running_api(database_url, machine) as (client, _):
        yield client


async def audit(database_url: str) -> list[tuple[str, str, str]]:
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT actor, action, subject FROM db_api.audit ORDER BY id")
    finally:
        await connection.close()
    return [tuple(row) for row in rows]


def error_of(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert list(body) == ["error", "message", "code", "details", "hint", "requestId"]
    assert body["requestId"] == answer.headers["x-request-id"]
    return answer.status_code, body["code"]


# Schemas


@pytest.mark.parametrize(
    "name",
    [
        "",
        "1st",
        "users;--",
        'users"',
        "users\n",
        "with space",
        "é",
        "x" * 64,
        "a.b",
        "\x00",
    ],
)
async def test_a_name_that_is_not_plain_is_refused(api: Api, name: str) -> None:
    answer = await api.post("/api/schemas", json={"name": name}, auth=api.admin)

    assert error_of(answer) == (400, "DBAPI300")


@pytest.mark.parametrize(
    "name", ["pg_catalog", "pg_toast", "pg_mine", "information_schema", "db_api"]
)
async def test_a_protected_schema_is_out_of_reach(api: Api, name: str) -> None:
    key = {"keyName": "x", "keyType": "anon"}
    for answer in (
        await api.post("/api/schemas", json={"name": name}, auth=api.admin),
        await api.delete(f"/api/schemas/{name}?confirm={name}", auth=api.admin),
        await api.get(f"/api/schemas/{name}/tables", auth=api.admin),
        await api.get(f"/api/tables?schema={name}", auth=api.admin),
        await api.get(f"/api/project/{name}/keys", auth=api.admin),
        await api.post(f"/api/project/{name}/keys", json=key, auth=api.admin),
        await api.delete(f"/api/project/{name}/keys/{uuid4()}", auth=api.admin),
    ):
        assert error_of(answer) == (403, "DBAPI103")


async def test_public_is_not_dropped(api: Api) -> None:
    answer = await api.delete("/api/schemas/public?confirm=public", auth=api.admin)

    assert error_of(answer) == (403, "DBAPI103")


@pytest.mark.parametrize("confirm", ["", "?confirm=", "?confirm=warehouse", "?confirm=SHOP"])
async def test_a_schema_is_dropped_only_when_its_name_is_repeated(api: Api, confirm: str) -> None:
    answer = await api.delete(f"/api/schemas/shop{confirm}", auth=api.admin)

    assert error_of(answer) == (400, "DBAPI300")
    assert (await api.get("/api/schemas/shop/tables", auth=api.admin)).json()["data"]


async def test_a_schema_that_is_not_there_cannot_be_dropped(api: Api) -> None:
    answer = await api.delete("/api/schemas/nowhere?confirm=nowhere", auth=api.admin)

    assert error_of(answer) == (404, "DBAPI303")


async def test_a_schema_is_created_once(api: Api, database_url: str) -> None:
    created = await api.post("/api/schemas", json={"name": "office"}, auth=api.admin)
    again = await api.post("/api/schemas", json={"name": "office"}, auth=api.admin)
    listed = (await api.get("/api/schemas", auth=api.admin)).json()

    assert (created.status_code, created.json()["data"]) == (
        201,
        {"name": "office", "provisioned": False},
    )
    assert error_of(again) == (409, "DBAPI305")
    assert [schema["name"] for schema in listed["data"]] == [
        "office",
        "public",
        "shop",
        "warehouse",
    ]
    assert ("admin:root-of-shop", "schema.created", "schema:office") in await audit(database_url)


async def test_dropping_a_schema_revokes_its_keys_and_leaves_an_audit_trail(
    api: Api, database_url: str
) -> None:
    key = await api.new_key("shop", "anon")

    answer = await api.delete("/api/schemas/shop?confirm=shop", auth=api.admin)

    assert answer.json()["data"] == {"name": "shop", "revokedKeys": 1}
    assert (await api.get("/api/schemas/shop/tables", auth=api.admin)).json()["data"] == []
    assert [(action, subject) for _, action, subject in await audit(database_url)] == [
        ("key.created", f"key:{key['id']}"),
        ("key.revoked", f"key:{key['id']}"),
        ("schema.dropped", "schema:shop"),
    ]


async def test_a_login_without_the_right_to_create_schemas_is_told_so(
    database_url: str, machine: LicensedMachine
) -> None:
    await execute(
        database_url,
        "CREATE ROLE clerk LOGIN; GRANT USAGE ON SCHEMA db_api TO clerk;"
        "GRANT ALL ON ALL TABLES IN SCHEMA db_api TO clerk",
    )
    url = database_url.replace("//postgres@", "//clerk@").replace("//postgres:", "//clerk:")
    try:
        async with running_api(url, machine) as (api, _):
            answer = await api.post("/api/schemas", json={"name": "office"}, auth=api.admin)
    finally:
        await execute(database_url, "DROP OWNED BY clerk; DROP ROLE clerk")

    assert error_of(answer) == (403, "DBAPI102")
    assert "CREATE on the database" in answer.json()["hint"]


# Keys


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"keyName": "x"},
        {"keyName": "x", "keyType": "admin"},
        {"keyName": "", "keyType": "anon"},
        {"keyName": "x" * 65, "keyType": "anon"},
        {"keyName": "two\nlines", "keyType": "anon"},
        {"keyName": 7, "keyType": "anon"},
        {"keyName": "x", "keyType": "anon", "expiresat": "2030-01-01T00:00:00Z"},
        {"keyName": "x", "keyType": "anon", "expiresAt": "tomorrow"},
        {"keyName": "x", "keyType": "anon", "expiresAt": "2030-01-01T00:00:00"},
        {"keyName": "x", "keyType": "anon", "expiresAt": "2020-01-01T00:00:00Z"},
        {"keyName": "x", "keyType": "anon", "expiresAt": "9999-12-31T23:59:59-01:00"},
        [],
    ],
)
async def test_a_key_is_not_made_from_a_body_that_does_not_fit(api: Api, body: object) -> None:
    answer = await api.post("/api/project/shop/keys", json=body, auth=api.admin)

    assert error_of(answer) == (400, "DBAPI300")


async def test_a_body_is_read_only_when_it_is_declared_as_json(api: Api) -> None:
    answer = await api.post("/api/project/shop/keys", data={"keyName": "x"}, auth=api.admin)

    assert error_of(answer) == (415, "DBAPI301")


async def test_a_body_that_is_no_json_is_refused(api: Api) -> None:
    for content in (b"", b"{", b"[" * 100_000, b'{"name": "\xff"}', "{}".encode("utf-16")):
        answer = await api.post(
            "/api/schemas",
            content=content,
            headers={"Content-Type": "application/json"},
            auth=api.admin,
        )
        assert error_of(answer) == (400, "DBAPI300")


async def test_a_body_over_the_limit_is_refused(
    database_url: str, machine: LicensedMachine
) -> None:
    async with running_api(database_url, machine, MAX_BODY_BYTES="1024") as (api, _):
        answer = await api.post("/api/schemas", json={"name": "x" * 1024}, auth=api.admin)

    assert error_of(answer) == (413, "DBAPI302")


async def test_a_key_for_a_schema_that_is_not_there_is_refused(api: Api) -> None:
    answer = await api.post(
        "/api/project/nowhere/keys", json={"keyName": "x", "keyType": "anon"}, auth=api.admin
    )

    assert error_of(answer) == (404, "DBAPI303")


async def test_two_live_keys_of_a_schema_do_not_share_a_name(api: Api) -> None:
    first = await api.new_key("shop", "anon", "website")
    body = {"keyName": "website", "keyType": "service_role"}

    refused = await api.post("/api/project/shop/keys", json=body, auth=api.admin)
    await api.delete(f"/api/project/shop/keys/{first['id']}", auth=api.admin)
    accepted = await api.post("/api/project/shop/keys", json=body, auth=api.admin)

    assert error_of(refused) == (409, "DBAPI305")
    assert accepted.status_code == 201


@pytest.mark.parametrize("key_type", ["anon", "service_role"])
async def test_a_new_key_is_shown_once_in_the_shape_that_users_know(
    api: Api, database_url: str, key_type: str
) -> None:
    created = await api.new_key("shop", key_type, "website")
    listed = await api.get("/api/project/shop/keys", auth=api.admin)

    assert list(created) == [
        "id",
        "key",
        "keyPrefix",
        "keyName",
        "keyType",
        "schemaName",
        "createdAt",
    ]
    assert len(bytes.fromhex(created["key"])) == 32
    assert created["keyPrefix"] == created["key"][:8]
    assert (created["keyName"], created["keyType"], created["schemaName"]) == (
        "website",
        key_type,
        "shop",
    )
    assert created["key"] not in listed.text
    (shown,) = listed.json()["data"]
    assert shown == {
        **{name: value for name, value in created.items() if name != "key"},
        "expiresAt": None,
        "revokedAt": None,
        "lastUsedAt": None,
        "replacedBy": None,
    }
    assert await audit(database_url) == [
        ("admin:root-of-shop", "key.created", f"key:{created['id']}")
    ]


async def test_a_key_may_be_given_an_end(api: Api) -> None:
    ends = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    body = {"keyName": "guest", "keyType": "anon", "expiresAt": ends.isoformat()}

    await api.post("/api/project/shop/keys", json=body, auth=api.admin)

    (shown,) = (await api.get("/api/project/shop/keys", auth=api.admin)).json()["data"]
    assert shown["expiresAt"] == f"{ends:%Y-%m-%dT%H:%M:%S}.000Z"


async def test_a_dump_of_the_database_holds_no_key(api: Api, database_url: str) -> None:
    key = (await api.new_key("shop", "service_role"))["key"]
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT row(k.*)::text FROM db_api.keys k")
        rows += await connection.fetch("SELECT row(a.*)::text FROM db_api.audit a")
    finally:
        await connection.close()

    dump = " ".join(row[0] for row in rows)
    assert key not in dump
    assert key[8:] not in dump


@pytest.mark.parametrize("name", ["a%00b", "x" * 64])
async def test_a_schema_that_cannot_exist_is_not_found(api: Api, name: str) -> None:
    key = {"keyName": "x", "keyType": "anon"}
    keys = f"/api/project/{name}/keys"

    answers = [
        await api.post(keys, json=key, auth=api.admin),
        await api.get(keys, auth=api.admin),
        await api.delete(f"{keys}/{UUID(int=1)}", auth=api.admin),
        await api.delete(f"/api/schemas/{name}?confirm={name}", auth=api.admin),
    ]

    assert {error_of(answer) for answer in answers} == {(404, "DBAPI303")}


@pytest.mark.parametrize("key_id", [str(UUID(int=1)), "not-an-id", "1 or 1=1"])
async def test_a_key_that_is_not_there_cannot_be_revoked(api: Api, key_id: str) -> None:
    answer = await api.delete(f"/api/project/shop/keys/{key_id}", auth=api.admin)

    assert error_of(answer) == (404, "DBAPI303")


async def test_a_key_is_not_revoked_through_another_schema(api: Api) -> None:
    key = await api.new_key("shop", "anon")

    answer = await api.delete(f"/api/project/warehouse/keys/{key['id']}", auth=api.admin)

    assert error_of(answer) == (404, "DBAPI303")
    assert (await api.get("/api/tables", headers={"apikey": key["key"]})).status_code == 200


async def test_revoking_a_key_twice_changes_nothing_more(api: Api, database_url: str) -> None:
    key = await api.new_key("shop", "anon")

    first = await api.delete(f"/api/project/shop/keys/{key['id']}", auth=api.admin)
    second = await api.delete(f"/api/project/shop/keys/{key['id']}", auth=api.admin)

    assert first.json()["data"] == second.json()["data"]
    assert [action for _, action, _ in await audit(database_url)] == ["key.created", "key.revoked"]


# Tables


async def test_a_key_sees_the_tables_of_its_own_schema_alone(api: Api) -> None:
    key = {"apikey": (await api.new_key("shop", "anon"))["key"]}

    own = await api.get("/api/tables", headers=key)

    assert [table["name"] for table in own.json()["data"]] == ["items", "makers"]
    for path in ("/api/tables?schema=warehouse", "/api/schemas/warehouse/tables/shelves"):
        assert error_of(await api.get(path, headers=key)) == (403, "DBAPI102")


async def test_the_administrator_sees_the_tables_of_every_schema_that_is_not_protected(
    api: Api,
) -> None:
    tables = (await api.get("/api/tables", auth=api.admin)).json()["data"]

    assert [(table["schema"], table["name"]) for table in tables] == [
        ("shop", "items"),
        ("shop", "makers"),
        ("warehouse", "shelves"),
    ]


async def test_a_table_is_described_with_all_that_a_client_needs(api: Api) -> None:
    table = (await api.get("/api/schemas/shop/tables/items", auth=api.admin)).json()["data"]

    assert (table["kind"], table["comment"], table["primaryKey"]) == (
        "table",
        "What is sold",
        ["id"],
    )
    assert table["columns"][3] == {
        "name": "price",
        "type": "numeric(10,2)",
        "nullable": True,
        "default": "0",
        "generated": False,
        "comment": "In euro",
    }
    (foreign_key,) = table["foreignKeys"]
    assert foreign_key["columns"] == ["maker"]
    assert (foreign_key["referencedTable"], foreign_key["referencedColumns"]) == ("makers", ["id"])
    assert "items_name" in [index["name"] for index in table["indexes"]]


async def test_a_table_made_a_moment_ago_is_found(api: Api, database_url: str) -> None:
    await api.get("/api/tables", auth=api.admin)
    await execute(database_url, "CREATE TABLE shop.orders (id int)")

    async def show() -> int:
        return (await api.get("/api/schemas/shop/tables/orders", auth=api.admin)).status_code

    assert await show() in (200, 404)  # a miss asks again at most once a second
    created = await api.post("/api/schemas", json={"name": "office"}, auth=api.admin)
    assert created.status_code == 201  # our own changes reload at once
    assert await show() == 200


async def test_a_table_that_is_not_there_is_not_found(api: Api) -> None:
    for name in ("nothing", 'x"; drop table items; --', "é" * 40):
        answer = await api.get(f"/api/schemas/shop/tables/{name}", auth=api.admin)
        assert error_of(answer) == (404, "DBAPI303")


async def test_postgresql_sees_the_ids_of_requests_where_that_is_asked_for(
    database_url: str, machine: LicensedMachine
) -> None:
    await execute(
        database_url,
        "CREATE SCHEMA shop;"
        "CREATE VIEW shop.named AS SELECT current_setting('application_name') AS name;"
        "CREATE VIEW public.named AS SELECT * FROM shop.named",
    )
    for setting, names in (("0", ("db-api", "db-api sql")), ("1", ("db-api {id}",) * 2)):
        async with running_api(database_url, machine, SQL_REQUEST_IDS=setting) as (api, _):
            key = await api.post(
                "/api/project/shop/keys",
                json={"keyName": f"key {setting}", "keyType": "service_role"},
                auth=api.admin,
            )
            read = await api.get("/rest/v1/named", headers={"apikey": key.json()["key"]})
            asked = await api.post(
                "/api/query", json={"sql": "SELECT name FROM named"}, auth=api.admin
            )
        found = (read, read.json()), (asked, asked.json()["data"])
        for (answer, rows), name in zip(found, names, strict=True):
            assert rows == [{"name": name.format(id=answer.headers["X-Request-Id"])}]


EXTENSION = """
CREATE SCHEMA shop;
CREATE SCHEMA tools;
CREATE TYPE tools.level AS ENUM ('low', 'high');
CREATE FUNCTION tools.above(tools.level, tools.level) RETURNS bool LANGUAGE sql IMMUTABLE
    AS $$ SELECT $1 > $2 $$;
CREATE OPERATOR tools.@> (LEFTARG = tools.level, RIGHTARG = tools.level, FUNCTION = tools.above);
CREATE TABLE shop.rivers (name text PRIMARY KEY, level tools.level);
INSERT INTO shop.rivers VALUES ('Elbe', 'high'), ('Oder', 'low');
"""


async def test_operators_are_found_where_extensions_are_installed(
    database_url: str, machine: LicensedMachine
) -> None:
    await execute(database_url, EXTENSION)
    found = {}
    for schemas in ("", "public,tools"):
        async with running_api(database_url, machine, DB_EXTRA_SEARCH_PATH=schemas) as (api, _):
            key = await api.post(
                "/api/project/shop/keys",
                json={"keyName": f"key {schemas}", "keyType": "anon"},
                auth=api.admin,
            )
            answer = await api.get(
                "/rest/v1/rivers?select=name&level=cs.low", headers={"apikey": key.json()["key"]}
            )
        found[schemas] = answer.json()

    assert found[""]["code"] == "42883"  # no such operator
    assert found["public,tools"] == [{"name": "Elbe"}]
