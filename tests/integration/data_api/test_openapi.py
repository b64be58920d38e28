"""What a key is told that it may do, on a real PostgreSQL."""

import re
from typing import Any

import asyncpg
import httpx
import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from support.licensed import LicensedMachine
from support.management import execute, running_api
from support.shop import ANON, SERVICE, opened_shop

pytestmark = pytest.mark.anyio


async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/openapi+json; charset=utf-8"
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("caller", [ANON, SERVICE])
async def test_the_document_is_valid(shared_shop: str, caller: Any) -> None:
    async with opened_shop(shared_shop, caller) as client:
        OpenAPIV31SpecValidator(await document(client)).validate()


async def test_anon_is_told_of_reading_alone(shared_shop: str) -> None:
    async with opened_shop(shared_shop, ANON) as client:
        paths = (await document(client))["paths"]
    tables = [path for name, path in paths.items() if not name.startswith("/rpc/")]
    assert {method for path in tables for method in path} == {"get", "head"}
    assert "/products" in paths
    assert "/secrets" not in paths  # of another schema


async def test_a_service_key_is_told_of_what_can_be_written(shared_shop: str) -> None:
    async with opened_shop(shared_shop, SERVICE) as client:
        paths = (await document(client))["paths"]
    assert {"get", "head", "post"} <= paths["/products"].keys()
    assert "post" not in paths["/session"]  # a view of expressions


async def test_columns_are_described_as_postgresql_has_them(shared_shop: str) -> None:
    async with opened_shop(shared_shop, SERVICE) as client:
        schemas = (await document(client))["components"]["schemas"]
    columns = schemas["products"]["properties"]
    assert schemas["products"]["description"] == "What is sold."
    assert columns["id"] == {
        "type": "integer",
        "format": "int32",
        "x-postgresql-type": "integer",
        "x-postgresql-default": columns["id"]["x-postgresql-default"],
        "x-primary-key": True,
    }
    assert columns["name"]["description"] == "As on the label."
    assert (columns["stock"]["type"], columns["stock"]["default"]) == ("integer", 7)
    assert columns["mood"]["enum"] == ["sad", "happy", None]
    assert columns["tags"]["items"] == {"type": ["string", "null"]}
    assert columns["seen"]["format"] == "date-time"
    assert columns["code"]["maxLength"] == 3
    assert columns["doubled"]["readOnly"] is True
    assert "type" not in columns["details"]
    assert schemas["products.new"]["required"] == ["name"]
    assert "doubled" not in schemas["products.new"]["properties"]
    assert schemas["contacts"]["properties"]["email"]["default"] == "nobody@example.com"
    assert schemas["tags"]["properties"]["product"]["x-references"] == "products.id"


async def test_rows_are_as_the_document_says(shared_shop: str) -> None:
    async with opened_shop(shared_shop, SERVICE) as client:
        found = await document(client)
        rows = (await client.get("/products")).json()
    schema = {"type": "array", "items": found["components"]["schemas"]["products"]}
    jsonschema.validate(rows, schema, format_checker=jsonschema.FormatChecker())


async def test_names_of_any_text_are_served_by_their_path(shared_shop: str) -> None:
    async with opened_shop(shared_shop, SERVICE) as client:
        paths = (await document(client))["paths"]
        path = next(path for path in paths if path.startswith("/odd"))
        assert (await client.get(path)).status_code == 200


async def test_what_the_login_may_not_read_is_not_told(shop: str) -> None:
    connection = await asyncpg.connect(shop)
    await connection.execute(
        """
        DROP ROLE IF EXISTS described;
        CREATE ROLE described LOGIN;
        GRANT USAGE ON SCHEMA shop TO described;
        GRANT SELECT (id, name) ON shop.products TO described;
        REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA shop FROM PUBLIC;
        """
    )
    await connection.close()
    try:
        url = shop.replace("postgres@", "described@")
        async with opened_shop(url, SERVICE) as client:
            found = await document(client)
    finally:
        await execute(shop, "DROP OWNED BY described; DROP ROLE described")
    assert list(found["paths"]) == ["/products"]
    assert list(found["paths"]["/products"]) == ["get", "head"]
    assert list(found["components"]["schemas"]["products"]["properties"]) == ["id", "name"]


FUNCTIONS = """
CREATE FUNCTION shop.add(a int, b numeric DEFAULT 1) RETURNS numeric LANGUAGE sql IMMUTABLE
    AS $$ SELECT a + b $$;
CREATE FUNCTION shop.find(wanted text) RETURNS TABLE (id int, mood shop.mood) LANGUAGE sql STABLE
    AS $$ SELECT id, mood FROM shop.products WHERE name = wanted $$;
CREATE FUNCTION shop.find(wanted text, most int) RETURNS SETOF shop.products LANGUAGE sql STABLE
    AS $$ SELECT * FROM shop.products WHERE name = wanted LIMIT most $$;
CREATE FUNCTION shop.forget(id int) RETURNS void LANGUAGE sql AS $$ $$;
CREATE FUNCTION shop."odd ""name; --"(json) RETURNS json LANGUAGE sql AS $$ SELECT $1 $$;
"""


async def test_functions_are_described_by_what_they_take_and_return(shop: str) -> None:
    await execute(shop, FUNCTIONS)
    async with opened_shop(shop, SERVICE) as client:
        found = await document(client)
    OpenAPIV31SpecValidator(found).validate()
    paths = found["paths"]

    add = paths["/rpc/add"]
    assert [(each["name"], each["required"]) for each in add["get"]["parameters"]] == [
        ("a", True),
        ("b", False),
    ]
    body = add["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert (body["required"], body["properties"]["a"]["type"]) == (["a"], "integer")
    one, several = paths["/rpc/find"]["get"]["responses"]["200"]["content"]["application/json"][
        "schema"
    ]["anyOf"]
    assert one["items"]["properties"]["mood"]["enum"] == ["sad", "happy", None]
    assert set(several["items"]["properties"]) >= {"id", "name", "price"}
    assert list(paths["/rpc/forget"]) == ["post"]  # which may write
    assert "204" in paths["/rpc/forget"]["post"]["responses"]
    odd = next(path for path in paths if path.startswith("/rpc/odd"))
    assert paths[odd]["post"]["requestBody"]["content"]["application/json"]["schema"] == {}


async def test_calls_answer_as_the_document_says(shop: str) -> None:
    await execute(shop, FUNCTIONS)
    async with opened_shop(shop, SERVICE) as client:
        paths = (await document(client))["paths"]
        for path, arguments in (
            ("/rpc/add", {"a": 1}),
            ("/rpc/find", {"wanted": "Anvil"}),
            ("/rpc/find", {"wanted": "Anvil", "most": 1}),
        ):
            answer = (await client.post(path, json=arguments)).raise_for_status()
            content = paths[path]["post"]["responses"]["200"]["content"]
            jsonschema.validate(answer.json(), content["application/json"]["schema"])


@pytest.mark.parametrize(
    ("accept", "status", "content_type"),
    [
        ("application/json", 200, "application/json; charset=utf-8"),
        ("application/json, application/openapi+json", 200, "application/openapi+json"),
        ("text/html, */*;q=0.8", 200, "application/openapi+json"),
        ("text/csv", 406, "application/json"),
    ],
)
async def test_the_document_comes_as_its_reader_likes(
    shared_shop: str, accept: str, status: int, content_type: str
) -> None:
    async with opened_shop(shared_shop, ANON) as client:
        answer = await client.get("/", headers={"Accept": accept})
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith(content_type)


async def test_head_has_no_body_and_nothing_is_written_here(shared_shop: str) -> None:
    async with opened_shop(shared_shop, SERVICE) as client:
        head = await client.head("/")
        refused = await client.post("/", json={})
    assert (head.status_code, head.content) == (200, b"")
    assert (refused.status_code, refused.json()["code"]) == (405, "PGRST117")


async def test_the_page_loads_nothing_from_elsewhere(
    database_url: str, machine: LicensedMachine
) -> None:
    async with running_api(database_url, machine) as (api, _):
        page = await api.get("/docs")
        names = re.findall(r'(?:src|href)="([^"]*)"', page.text)
        files = [await api.get(name) for name in names]
    assert names == ["/docs/page.css", "/docs/page.js"]
    assert [file.status_code for file in files] == [200, 200]
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    for text in (page.text, *(file.text for file in files)):
        assert "//" not in text.replace("// Everything", "")
        assert "innerHTML" not in text
    assert not re.findall(r"<script>|style=|onclick=", page.text)
