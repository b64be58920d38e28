"""Every route by every kind of caller. A route without an entry here fails."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pytest
from starlette.routing import Route
from starlette.types import Scope

from db_api import docs_page, rest, rest_root
from db_api.api_keys import KeyType, generate_key
from db_api.app import make_endpoints
from db_api.callers import Caller
from db_api.catalog import Catalog, SchemaCache
from db_api.connections import Connections
from db_api.control.audit import Actor
from db_api.control.database import open_control
from db_api.control.keys import KeyStore, NewKey
from db_api.engine import Engine
from db_api.errors import CredentialMissingError
from db_api.execution import Database
from db_api.grammar.request import CALL_METHODS, METHODS
from db_api.license_gate import LicenseGate
from db_api.logins import LoginVault
from db_api.policies import CallerLimits, EngineLimits
from db_api.provisioner import Provisioner
from support.licensed import LicensedMachine
from support.management import Api, running_api

pytestmark = pytest.mark.anyio

TABLE = "/rest/v1/{table}"
TABLE_OF_SCHEMA = "/api/schemas/{schema}/tables/{table}"
CALL = "/rest/v1/rpc/{function}"


@dataclass(frozen=True)
class Outcome:
    """The status of an answer by who asks."""

    nobody: int
    anon: int
    service_role: int
    admin: int
    revoked: int
    expired: int
    other_schema: int
    locked: int


def for_anyone(status: int, locked: int | None = None) -> Outcome:
    return Outcome(status, status, status, status, status, status, status, locked or status)


def for_admin(status: int) -> Outcome:
    return Outcome(401, 403, 403, status, 401, 401, 403, 403)


OUTCOMES = {
    ("GET", "/api/health"): for_anyone(200),
    ("GET", "/api/health/ready"): for_anyone(200, locked=503),
    ("GET", "/api/license/status"): for_anyone(200),
    ("POST", "/api/license/validate"): for_anyone(400),
    ("POST", "/api/license/activate"): Outcome(401, 403, 403, 400, 401, 401, 403, 400),
    ("POST", "/api/trial/start"): Outcome(401, 403, 403, 400, 401, 401, 403, 400),
    ("GET", "/api/trial/status"): Outcome(401, 403, 403, 200, 401, 401, 403, 200),
    ("GET", "/metrics"): Outcome(401, 403, 403, 200, 401, 401, 403, 200),
    ("GET", "/api/schemas"): for_admin(200),
    ("POST", "/api/schemas"): for_admin(400),
    ("DELETE", "/api/schemas/{schema}"): for_admin(400),
    ("POST", "/api/schema-cache/reload"): for_admin(200),
    ("GET", "/api/project/{schema}/keys"): for_admin(200),
    ("POST", "/api/project/{schema}/keys"): for_admin(400),
    ("POST", "/api/project/{schema}/keys/{id}/rotate"): for_admin(404),
    ("DELETE", "/api/project/{schema}/keys/{id}"): for_admin(404),
    ("GET", "/api/tables"): Outcome(401, 200, 200, 200, 401, 401, 200, 403),
    ("GET", "/api/schemas/{schema}/tables"): Outcome(401, 200, 200, 200, 401, 401, 403, 403),
    ("GET", "/api/schemas/{schema}/tables/{table}"): Outcome(
        401, 200, 200, 200, 401, 401, 403, 403
    ),
    ("POST", "/api/schemas/{schema}/tables"): Outcome(401, 403, 400, 400, 401, 401, 403, 403),
    ("PATCH", TABLE_OF_SCHEMA): Outcome(401, 403, 400, 400, 401, 401, 403, 403),
    ("DELETE", TABLE_OF_SCHEMA): Outcome(401, 403, 400, 400, 401, 401, 403, 403),
    **{("GET", path): for_anyone(200, locked=403) for path in docs_page.PATHS},
    ("POST", "/api/batch"): Outcome(401, 400, 400, 403, 401, 401, 400, 403),
    ("POST", "/api/query"): Outcome(401, 400, 400, 400, 401, 401, 400, 403),
    ("GET", "/rest/v1/"): Outcome(401, 200, 200, 403, 401, 401, 200, 403),
    ("GET", "/rest/v1/{table}"): Outcome(401, 200, 200, 403, 401, 401, 404, 403),
    ("HEAD", "/rest/v1/{table}"): Outcome(401, 200, 200, 403, 401, 401, 404, 403),
    ("POST", "/rest/v1/{table}"): Outcome(401, 405, 201, 403, 401, 401, 404, 403),
    ("PATCH", "/rest/v1/{table}"): Outcome(401, 405, 204, 403, 401, 401, 404, 403),
    ("PUT", "/rest/v1/{table}"): Outcome(401, 405, 204, 403, 401, 401, 404, 403),
    ("DELETE", "/rest/v1/{table}"): Outcome(401, 405, 204, 403, 401, 401, 404, 403),
    ("OPTIONS", TABLE): Outcome(401, 200, 200, 403, 401, 401, 404, 403),
    ("OPTIONS", CALL): Outcome(401, 200, 200, 403, 401, 401, 404, 403),
    ("GET", CALL): Outcome(401, 200, 200, 403, 401, 401, 404, 403),
    ("HEAD", CALL): Outcome(401, 200, 200, 403, 401, 401, 404, 403),
    ("POST", CALL): Outcome(401, 200, 200, 403, 401, 401, 404, 403),
    ("GET", "/rest/v1/{rest:path}"): Outcome(401, 404, 404, 403, 401, 401, 404, 403),
}


@pytest.fixture
async def api(
    database_url: str, machine: LicensedMachine
) -> AsyncIterator[tuple[Api, LicenseGate]]:
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "CREATE SCHEMA shop; CREATE TABLE shop.items (id int PRIMARY KEY); CREATE SCHEMA warehouse;"
        "CREATE FUNCTION shop.answer() RETURNS int STABLE LANGUAGE sql AS 'SELECT 42'"
    )
    await connection.close()
    async with running_api(database_url, machine, FAILED_LOGINS_PER_MINUTE="1000") as opened:
        yield opened


def filled(path: str) -> str:
    """Put something into the parameters of a path; rows are chosen, as a write of them demands."""
    values = {
        "function": "answer",
        "schema": "shop",
        "table": "items",
        "id": UUID(int=1),
        "rest:path": "a/b",
    }
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", str(value))
    return f"{path}?id=eq.1" if path == "/rest/v1/items" else path


async def routes(gate: LicenseGate, database_url: str) -> set[tuple[str, str]]:
    """Name every method of every path that the application serves."""
    catalog = Catalog(_no_tables, float)
    nobody = CallerLimits(1, 1)
    engine = Engine(
        Database(Connections(database_url, 1), 1), catalog, EngineLimits(nobody, nobody, 1)
    )
    control = open_control(database_url)
    provisioner = Provisioner(database_url, control, LoginVault(database_url, None))
    management = make_endpoints(gate, control, catalog, provisioner)
    data = [route.path for route in rest.routes(engine, _nobody, 1) if isinstance(route, Route)]
    return {
        *((endpoint.method, endpoint.path) for endpoint in management),
        *(("GET", path) for path in data),
        *((method, TABLE) for method in (*METHODS, "OPTIONS")),
        *((method, CALL) for method in (*CALL_METHODS, "OPTIONS")),
        ("GET", "/metrics"),
        ("POST", "/api/query"),
        ("POST", "/api/batch"),
        *(("GET", path) for path in docs_page.PATHS),
        ("POST", "/api/schemas/{schema}/tables"),
        ("PATCH", TABLE_OF_SCHEMA),
        ("DELETE", TABLE_OF_SCHEMA),
        ("GET", rest_root.PATH),
    }


async def _no_tables() -> SchemaCache:
    return SchemaCache.empty()


async def _nobody(_scope: Scope) -> Caller:
    raise CredentialMissingError("nobody asks here")


async def expired_key(database_url: str) -> str:
    """Make a key that was good until a minute ago."""
    secret, now = generate_key(), datetime.now(UTC)
    new = NewKey("expired", KeyType.SERVICE_ROLE, "shop", now - timedelta(minutes=1))
    control = open_control(database_url)
    await KeyStore(control).create(secret, new, Actor("test", "", now))
    await control.dispose()
    return secret


async def make_credentials(
    client: Api, database_url: str
) -> dict[str, tuple[dict[str, str], httpx.Auth | None]]:
    """Make what each kind of caller sends; one whose license is locked may do the most."""
    revoked = await client.new_key("shop", "service_role", "revoked")
    await client.delete(f"/api/project/shop/keys/{revoked['id']}", auth=client.admin)
    expired = await expired_key(database_url)
    anon = await client.new_key("shop", "anon", "anon")
    service_role = await client.new_key("shop", "service_role", "service")
    other_schema = await client.new_key("warehouse", "service_role", "other")
    return {
        "nobody": ({}, None),
        "anon": ({"apikey": anon["key"]}, None),
        "service_role": ({"apikey": service_role["key"]}, None),
        "admin": ({}, client.admin),
        "revoked": ({"apikey": revoked["key"]}, None),
        "expired": ({"apikey": expired}, None),
        "other_schema": ({"apikey": other_schema["key"]}, None),
        "locked": ({}, client.admin),
    }


async def test_every_route_has_an_entry_and_every_entry_a_route(
    api: tuple[Api, LicenseGate], database_url: str
) -> None:
    assert await routes(api[1], database_url) == set(OUTCOMES)


async def test_each_caller_gets_what_is_due_on_each_route(
    api: tuple[Api, LicenseGate], machine: LicensedMachine, database_url: str
) -> None:
    client, gate = api
    credentials = await make_credentials(client, database_url)
    wrong = []
    for caller, (headers, auth) in credentials.items():
        if caller == "locked":  # the last one: nothing opens the gate again
            machine.learn("SUSPENDED")
            await gate.refresh()
        for (method, path), outcome in OUTCOMES.items():
            body = {"id": 1} if path == TABLE else {}
            answer = await client.request(
                method, filled(path), headers=headers, auth=auth, json=body
            )
            if answer.status_code != getattr(outcome, caller):
                wrong.append((method, path, caller, answer.status_code, answer.text))

    assert wrong == []


def test_every_management_route_stands_in_the_wire_document() -> None:
    document = Path(__file__).parents[3] / "db_api" / "wire" / "README.md"
    text = document.read_text()

    assert [
        path
        for _, path in OUTCOMES
        if path.startswith("/api") and path.partition("?")[0] not in text
    ] == []
