"""Schemas that the service makes itself, with login roles of their own where it may."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from db_api.api_keys import KeyType
from db_api.grants import role_name
from support.licensed import LicensedMachine
from support.management import running_api
from support.postgres import Cluster, wheel_cluster
from support.provisioned import PASSWORD, STRANGER, Customer, asking_for_passwords


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with wheel_cluster() as cluster, asking_for_passwords(cluster) as prepared:
        yield prepared


@pytest.fixture
def customer(server: Cluster) -> Customer:
    return Customer(server)


def test_a_new_schema_is_provisioned_where_the_service_may_make_roles(
    customer: Customer, machine: LicensedMachine
) -> None:
    kinds = ("anon", "service_role")

    async def run() -> tuple[httpx.Response, list[str], httpx.Response]:
        async with running_api(customer.url, machine) as (api, _):
            created = await api.post("/api/schemas", json={"name": "office"}, auth=api.admin)
            names = []
            for kind in kinds:
                key = await api.post(
                    "/api/project/office/keys",
                    json={"keyName": kind, "keyType": kind},
                    auth=api.admin,
                )
                answer = await api.post(
                    "/api/query",
                    json={"sql": "SELECT current_user AS name"},
                    headers={"apikey": key.json()["key"]},
                )
                names.append(answer.json()["data"][0]["name"])
            dropped = await api.delete("/api/schemas/office?confirm=office", auth=api.admin)
        return created, names, dropped

    created, names, dropped = asyncio.run(run())

    assert (created.status_code, created.json()["data"]["provisioned"]) == (201, True)
    assert names == [role_name(customer.name, "office", KeyType(kind)) for kind in kinds]
    assert dropped.status_code == 200
    left = f"SELECT count(*) FROM pg_roles WHERE rolname IN {tuple(names)}"
    assert customer.fetch(left) == [(0,)]
    assert customer.fetch("SELECT count(*) FROM db_api.logins") == [(0,)]


def test_a_service_that_may_make_no_roles_creates_the_schema_alone(
    customer: Customer, machine: LicensedMachine
) -> None:
    customer.execute(
        f"GRANT CREATE ON DATABASE {customer.name} TO {STRANGER};"
        f"GRANT ALL ON SCHEMA db_api TO {STRANGER};"
        f"GRANT ALL ON ALL TABLES IN SCHEMA db_api TO {STRANGER};"
        f"GRANT ALL ON ALL SEQUENCES IN SCHEMA db_api TO {STRANGER}"
    )
    assert asyncio.run(create_office(customer.url_of(STRANGER, PASSWORD), machine)) is False


async def create_office(url: str, machine: LicensedMachine) -> object:
    """Create a schema, and return whether it was provisioned."""
    async with running_api(url, machine) as (api, _):
        created = await api.post("/api/schemas", json={"name": "office"}, auth=api.admin)
    return created.raise_for_status().json()["data"]["provisioned"]
