"""Key traffic on the logins of its schema, and the connections that they share."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from db_api.connections import Connection, Connections
from db_api.logins import url_of_login
from support.commands import run_command
from support.licensed import LicensedMachine
from support.management import Api, execute, running_api, service_environment
from support.postgres import dump

pytestmark = pytest.mark.anyio

OBJECT = {"Accept": "application/vnd.pgrst.object+json"}
PASSWORD = "canary-of-the-login"


@pytest.fixture
def role(database_url: str) -> Iterator[str]:
    """Make a schema with a view of who asks, and a role that may read it."""
    name = f"app_{uuid.uuid4().hex[:12]}"
    asyncio.run(
        execute(
            database_url,
            f"""
            CREATE SCHEMA shop;
            CREATE VIEW shop.who AS SELECT current_user::text AS role;
            CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}';
            GRANT USAGE ON SCHEMA shop TO {name};
            GRANT SELECT ON shop.who TO {name};
            """,
        )
    )
    yield name
    asyncio.run(execute(database_url, f"DROP OWNED BY {name}; DROP ROLE {name}"))


def set_login(environment: dict[str, str], role: str, password: str = PASSWORD) -> None:
    done = run_command(
        *("db-api", "logins", "set", "--schema", "shop", "--type", "service_role"),
        *("--role", role),
        env=environment,
        stdin=f"{password}\n",
    )
    assert done.returncode == 0, done.stderr


async def role_of(api: Api, key: dict[str, str]) -> str:
    answer = await api.get("/rest/v1/who", headers={"apikey": key["key"], **OBJECT})
    assert answer.status_code == 200, answer.text
    role: str = answer.json()["role"]
    return role


async def test_keys_run_as_the_login_of_their_schema_and_type_alone(
    database_url: str, machine: LicensedMachine, role: str
) -> None:
    set_login(service_environment(database_url, machine), role)
    async with running_api(database_url, machine) as (api, _):
        service = await api.new_key("shop", "service_role", "service")
        anon = await api.new_key("shop", "anon", "anon")

        assert await role_of(api, service) == role
        assert await role_of(api, anon) == "postgres"


async def test_a_login_that_does_not_open_serves_nobody(
    database_url: str, machine: LicensedMachine, role: str
) -> None:
    other = {"LICENSE_ENCRYPTION_KEY": "a7" * 32}
    set_login({**service_environment(database_url, machine), **other}, role)
    async with running_api(database_url, machine) as (api, _):
        key = await api.new_key("shop", "service_role")
        answer = await api.get("/rest/v1/who", headers={"apikey": key["key"]})

    assert (answer.status_code, answer.json()["code"]) == (503, "DBAPI330")
    assert "provision shop --repair" in answer.json()["hint"]


async def test_a_login_that_postgresql_refuses_is_told_without_its_name(
    database_url: str, machine: LicensedMachine, role: str
) -> None:
    set_login(service_environment(database_url, machine), role, password="")
    await execute(database_url, f"ALTER ROLE {role} NOLOGIN")
    async with running_api(database_url, machine) as (api, _):
        key = await api.new_key("shop", "service_role")
        answer = await api.get("/rest/v1/who", headers={"apikey": key["key"]})

    assert (answer.status_code, answer.json()["code"]) == (503, "DBAPI331")
    assert role not in answer.text


def test_logins_are_listed_and_removed_and_no_password_is_shown_or_stored(
    database_url: str, machine: LicensedMachine, role: str
) -> None:
    environment = service_environment(database_url, machine)
    set_login(environment, role)
    place = ("--schema", "shop", "--type", "service_role")

    listed = run_command("db-api", "logins", "list", "--json", env=environment)
    content = dump(database_url)
    removed = run_command("db-api", "logins", "remove", *place, "--json", env=environment)
    again = run_command("db-api", "logins", "remove", *place, "--json", env=environment)

    (login,) = json.loads(listed.stdout)
    assert (login["schemaName"], login["keyType"], login["role"]) == ("shop", "service_role", role)
    assert PASSWORD not in listed.stdout + listed.stderr
    assert PASSWORD.encode() not in content
    assert b"login.set" in content
    assert (json.loads(removed.stdout), json.loads(again.stdout)) == (
        {"removed": True},
        {"removed": False},
    )


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--schema", "shop", "--type", "admin", "--role", "x"), 2),
        (("--schema", "shop", "--type", "anon", "--role", ""), 2),
        (("--schema", "shop", "--type", "anon", "--role", "x" * 64), 2),
        (("--schema", "nowhere", "--type", "anon", "--role", "x"), 1),
        (("--schema", "db_api", "--type", "anon", "--role", "x"), 1),
    ],
)
def test_a_login_that_cannot_be_is_refused(
    database_url: str, machine: LicensedMachine, arguments: tuple[str, ...], status: int
) -> None:
    asyncio.run(execute(database_url, "CREATE SCHEMA shop"))
    environment = service_environment(database_url, machine)

    done = run_command("db-api", "logins", "set", *arguments, env=environment, stdin="secret\n")

    assert done.returncode == status
    assert "Traceback" not in done.stderr


def test_a_password_is_not_stored_without_a_root_secret(database_url: str) -> None:
    asyncio.run(execute(database_url, "CREATE SCHEMA shop"))
    done = run_command(
        *("db-api", "logins", "set", "--schema", "shop", "--type", "anon", "--role", "app"),
        env={"DATABASE_URL": database_url},
        stdin="secret\n",
    )

    assert done.returncode == 1
    assert "LICENSE_ENCRYPTION_KEY" in done.stderr


# The connections


@asynccontextmanager
async def pool(url: str, size: int) -> AsyncIterator[Connections]:
    connections = Connections(url, size)
    try:
        yield connections
    finally:
        await connections.close()


async def backends(connection: Connection) -> list[str]:
    rows = await connection.fetch(
        "SELECT usename FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'db-api' ORDER BY usename"
    )
    return [row["usename"] for row in rows]


@pytest.mark.parametrize(("size", "share"), [(1, 1), (2, 1), (5, 2), (10, 5)])
async def test_one_key_holds_at_most_half_of_the_connections(
    shared_shop: str, size: int, share: int
) -> None:
    async with pool(shared_shop, size) as connections:
        held = [await connections.take(5, holder="busy") for _ in range(share)]
        with pytest.raises(TimeoutError):
            await connections.take(0.05, holder="busy")
        held += [await connections.take(5, holder=f"quiet{n}") for n in range(size - share)]
        with pytest.raises(TimeoutError):
            await connections.take(0.05, holder="late")
        for connection in held:
            connections.give_back(connection)

        again = await connections.take(5, holder="busy")
        assert again in held
        connections.give_back(again)


async def test_who_waited_in_vain_takes_nothing_from_those_who_come_later(
    shared_shop: str,
) -> None:
    async with pool(shared_shop, 2) as connections:
        held = await connections.take(5, holder="busy")
        for _ in range(5):
            with pytest.raises(TimeoutError):
                await connections.take(0.01, holder="busy")
        connections.give_back(held)

        held, other = await connections.take(5, holder="busy"), await connections.take(5)
        connections.give_back(held)
        connections.give_back(other)


async def test_an_idle_connection_makes_room_for_another_login(
    database_url: str, role: str
) -> None:
    other = url_of_login(database_url, role, None)
    watcher = await asyncpg.connect(database_url)
    async with pool(database_url, 2) as connections:
        first, second = await connections.take(5), await connections.take(5)
        connections.give_back(first)
        connections.give_back(second)

        strange = await connections.take(5, other)
        assert await strange.fetchval("SELECT current_user") == role
        while len(await backends(watcher)) > 2:  # an ended one stays for a moment
            pass
        assert await backends(watcher) == sorted([role, "postgres"])
        assert await connections.take(5) is second
        connections.give_back(second)
        connections.give_back(strange)
    await watcher.close()
