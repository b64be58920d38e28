"""Pages of other sites, and requests that came in the clear."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest

from db_api.settings import SettingsError, read_settings
from support.licensed import LicensedMachine
from support.management import Api, running_api, service_environment

pytestmark = pytest.mark.anyio

SHOP = "https://shop.example"
PROXY = ("10.0.0.7", 5000)
PLAIN = {"X-Forwarded-Proto": "http", "X-Forwarded-For": "192.0.2.7"}
SECURE = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}


@asynccontextmanager
async def behind_proxy(database_url: str, machine: LicensedMachine) -> AsyncIterator[Api]:
    async with running_api(
        database_url, machine, PROXY, TRUSTED_PROXIES="10.0.0.0/8", HOST="127.0.0.1"
    ) as (api, _):
        yield api


async def test_pages_of_other_sites_read_nothing_by_default(
    database_url: str, machine: LicensedMachine
) -> None:
    async with running_api(database_url, machine) as (api, _):
        answer = await api.get("/api/health", headers={"Origin": SHOP})
        asked = await api.options("/api/schemas", headers=preflight())
    for each in (answer, asked):
        assert not [name for name in each.headers if name.startswith("access-control")]


async def test_named_origins_read_answers_and_refusals(
    database_url: str, machine: LicensedMachine
) -> None:
    origins = f"{SHOP}, http://localhost:3000"
    async with running_api(database_url, machine, CORS_ORIGINS=origins) as (api, _):
        for origin in (SHOP, "http://localhost:3000"):
            for path in ("/api/health", "/api/schemas", "/rest/v1/nosuch"):
                answer = await api.get(path, headers={"Origin": origin})
                assert answer.headers["access-control-allow-origin"] == origin
                assert "Content-Range" in answer.headers["access-control-expose-headers"]
                assert "access-control-allow-credentials" not in answer.headers
        for origin in (f"{SHOP}:8443", f"{SHOP}.evil.example", "null", "http://shop.example"):
            answer = await api.get("/api/health", headers={"Origin": origin})
            assert "access-control-allow-origin" not in answer.headers
            assert answer.headers["vary"] == "Origin"


async def test_a_preflight_needs_no_credential(database_url: str, machine: LicensedMachine) -> None:
    async with running_api(database_url, machine, CORS_ORIGINS=SHOP, CORS_CREDENTIALS="1") as (
        api,
        _,
    ):
        answer = await api.options("/rest/v1/items", headers=preflight())
        stranger = await api.options("/rest/v1/items", headers=preflight("https://evil.example"))
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "apikey, prefer"
    assert "access-control-allow-origin" not in stranger.headers


@pytest.mark.parametrize(
    "settings",
    [
        {"CORS_ORIGINS": "https://shop.example/path"},
        {"CORS_ORIGINS": "shop.example"},
        {"CORS_ORIGINS": "https://a.example,"},
        {"CORS_ORIGINS": "*", "CORS_CREDENTIALS": "1"},
    ],
)
async def test_what_is_no_origin_ends_the_start(
    machine: LicensedMachine, settings: dict[str, str]
) -> None:
    environment = service_environment("postgresql://x@127.0.0.1/x", machine, **settings)
    with pytest.raises(SettingsError, match="CORS_"):
        read_settings(environment)


async def test_what_came_in_the_clear_is_refused_and_its_key_told_of(
    database_url: str, machine: LicensedMachine
) -> None:
    async with behind_proxy(database_url, machine) as api:
        key = (
            await api.post(
                "/api/project/public/keys",
                json={"keyName": "x", "keyType": "anon"},
                auth=api.admin,
                headers=SECURE,
            )
        ).json()
        for _ in range(2):
            refused = await api.get("/api/tables", headers={"apikey": key["key"], **PLAIN})
            assert (refused.status_code, refused.json()["code"]) == (403, "DBAPI210")
        answered = await api.get("/api/tables", headers={"apikey": key["key"], **SECURE})
        probe = await api.get("/api/health", headers=PLAIN)
    assert (answered.status_code, probe.status_code) == (200, 200)
    assert "max-age" in answered.headers["strict-transport-security"]
    connection = await asyncpg.connect(database_url)
    query = "SELECT details->>'prefix' FROM db_api.audit WHERE action = 'key.exposed'"
    assert [row[0] for row in await connection.fetch(query)] == [key["keyPrefix"]]
    await connection.close()


async def test_a_page_is_redirected(database_url: str, machine: LicensedMachine) -> None:
    async with behind_proxy(database_url, machine) as api:
        answer = await api.get("/docs?x=1", headers=PLAIN)
    assert answer.status_code == 308
    assert answer.headers["location"] == "https://api.example/docs?x=1"


async def test_nobody_but_a_proxy_says_how_a_request_came(
    database_url: str, machine: LicensedMachine
) -> None:
    async with running_api(database_url, machine) as (api, _):
        answer = await api.get("/api/health", headers=SECURE)
    assert isinstance(answer, httpx.Response)
    assert "strict-transport-security" not in answer.headers


def preflight(origin: str = SHOP) -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "apikey, prefer",
    }
