"""The data API in the test's own process, on a real PostgreSQL, spoken to by httpx."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx

from db_api.app import open_app
from db_api.license_gate import LicenseGate
from db_api.settings import read_settings
from support.licensed import LicensedMachine

USER = "root-of-shop"
PASSWORD = "correct horse battery staple"
ELSEWHERE = ("192.0.2.7", 40000)


async def execute(database_url: str, statement: str) -> None:
    """Run statements as the superuser."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def fetch(database_url: str, query: str) -> list[object]:
    """Return the first column of a query's rows, as the superuser."""
    connection = await asyncpg.connect(database_url)
    try:
        return [row[0] for row in await connection.fetch(query)]
    finally:
        await connection.close()


def create_key(url: str, schema: str) -> str:
    """Create a service_role key of a schema at a running service."""
    answer = httpx.post(
        f"{url}/api/project/{schema}/keys",
        json={"keyName": "test", "keyType": "service_role"},
        auth=(USER, PASSWORD),
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["key"])


class Api(httpx.AsyncClient):
    """A client of the service, with its administrator's login at hand."""

    admin = httpx.BasicAuth(USER, PASSWORD)

    async def new_key(self, schema: str, key_type: str, name: str = "test") -> dict[str, str]:
        """Create an API key and return what the service says of it."""
        answer = await self.post(
            f"/api/project/{schema}/keys",
            json={"keyName": name, "keyType": key_type},
            auth=self.admin,
        )
        assert answer.status_code == 201, answer.text
        created: dict[str, str] = answer.json()
        return created


def service_environment(
    database_url: str, machine: LicensedMachine, **settings: str
) -> dict[str, str]:
    """Write the environment of the service."""
    return {
        "APP_ENV": "development",  # the run's own PostgreSQL has one login, a superuser
        "DATABASE_URL": database_url,
        "AUTH_USER": USER,
        "AUTH_PASS": PASSWORD,
        **machine.environment,
        **settings,
    }


@asynccontextmanager
async def running_api(
    database_url: str,
    machine: LicensedMachine,
    peer: tuple[str, int] = ELSEWHERE,
    **settings: str,
) -> AsyncIterator[tuple[Api, LicenseGate]]:
    """Open the service and yield a client of it, and its gate.

    Args:
        database_url: with the service's own tables.
        machine: has the license.
        peer: from where the client seems to connect.
        settings: environment variables besides.
    """
    environment = service_environment(database_url, machine, LOG_LEVEL="error", **settings)
    gate = machine.new_gate()
    async with open_app(read_settings(environment), gate) as app:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=peer)
        async with Api(transport=transport, base_url="http://api.example") as client:
            yield client, gate
