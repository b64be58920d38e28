"""Both services on a PostgreSQL with a replica: the primary is killed, the replica promoted.

What an engine of high availability does, done by hand; the services are told of both addresses and
have to find the one that takes writes by themselves.
"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from db_api.control.migrations import migrate
from support.license_api import body
from support.licensed import LicensedMachine, simulator_of_today
from support.management import PASSWORD, USER, create_key, execute, fetch, service_environment
from support.postgres import Cluster
from support.replicas import kill, promote, replicated
from support.servers import BIN, RunningServer, running
from support.steady_load import SteadyLoad
from support.tcp_forwarder import free_port
from support.vendor import Vendor

pytestmark = pytest.mark.timeout(300)

Pair = tuple[Cluster, Cluster]
TABLES = "CREATE SCHEMA shop; CREATE TABLE shop.notes (n int PRIMARY KEY)"
STREAMING = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
LICENSES = 2_000  # each takes a few new deployments an hour
FREE = "100000"


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Run a primary, whose commits wait for a replica, and the replica."""
    with replicated(15, (free_port(), free_port())) as (primary, replica):
        asyncio.run(execute(primary.url, "ALTER SYSTEM SET synchronous_standby_names = '*'"))
        asyncio.run(execute(primary.url, "SELECT pg_reload_conf()"))
        while asyncio.run(fetch(primary.url, STREAMING)) != [1]:
            pass
        yield primary, replica


def address_of(pair: Pair, database: str) -> str:
    """Write the address of a database as an operator does: both hosts, and which one is meant."""
    hosts = ",".join(f"127.0.0.1:{one.port}" for one in pair)
    return f"postgresql://postgres@{hosts}/{database}?target_session_attrs=read-write"


def fail_over(pair: Pair, server: RunningServer, load: SteadyLoad) -> None:
    """Kill the primary under load, and promote the replica once requests have failed."""
    primary, replica = pair
    with load.flowing():
        load.wait_for(200, 201)
        kill(primary)
        load.wait_for(503)
        promote(replica)
        load.wait_for(200, 201)

    assert load.broken == {}, server.log
    assert set(load.answers) <= {200, 201, 503, 504}, server.log


def test_a_data_api_finds_the_new_primary_and_no_acknowledged_row_is_lost(
    pair: Pair, tmp_path: Path
) -> None:
    asyncio.run(execute(pair[0].url, "CREATE DATABASE shop"))
    url = address_of(pair, "shop")
    asyncio.run(migrate(url))
    asyncio.run(execute(url, TABLES))
    machine = LicensedMachine(tmp_path / "license", simulator_of_today())
    machine.learn()
    environment = service_environment(
        url, machine, KEY_REQUESTS_PER_SECOND=FREE, KEY_BURST=FREE, POOL_SIZE="4"
    )
    with running(BIN / "db-api", "serve", env=environment) as server:
        headers = {"apikey": create_key(server.url, "shop")}
        notes = f"{server.url}/rest/v1/notes"
        load = SteadyLoad(lambda client, n: client.post(notes, json={"n": n}, headers=headers))
        fail_over(pair, server, load)
        assert httpx.get(f"{server.url}/api/health/ready").status_code == 200
        assert httpx.get(f"{server.url}/api/project/shop/keys", auth=(USER, PASSWORD)).is_success

    assert load.acknowledged <= set(asyncio.run(fetch(url, "SELECT n FROM shop.notes")))


def test_a_license_server_finds_the_new_primary_and_no_activation_is_lost(
    pair: Pair, tmp_path: Path
) -> None:
    asyncio.run(execute(pair[0].url, "CREATE DATABASE licenses"))
    url = address_of(pair, "licenses")
    settings = {
        "DATABASE_URL": url,
        "RATE_LIMIT_STORAGE_URI": "database://",
        "REQUESTS_PER_MINUTE": FREE,
    }
    vendor = Vendor(tmp_path / "vendor", None, settings)
    vendor.create_product()
    lines = vendor.import_licenses(LICENSES).read_text().splitlines()
    sold = [made for made in map(json.loads, lines) if "key" in made]

    with vendor.serving() as server:

        def activate(client: httpx.Client, n: int) -> httpx.Response:
            one = sold[n % LICENSES]
            return client.post(
                f"{server.url}/v1/licenses/activate",
                content=body(license_key=one["key"], email=one["email"], instance_id=f"n-{n}"),
                headers={"Content-Type": "application/json"},
            )

        load = SteadyLoad(activate)
        fail_over(pair, server, load)
        assert httpx.get(f"{server.url}/readyz").status_code == 200
        vendor.sell("after@example.com")

    stored = set(asyncio.run(fetch(url, "SELECT instance_id FROM deployments")))
    assert {f"n-{n}" for n in load.acknowledged} <= stored


def test_while_no_host_takes_writes_requests_are_told_to_come_again(
    pair: Pair, tmp_path: Path
) -> None:
    """Hosts answer, and none is a primary: the moment before an engine promotes one."""
    url = address_of((pair[1], pair[1]), "postgres")
    machine = LicensedMachine(tmp_path / "license", simulator_of_today())
    machine.learn()
    vendor = Vendor(tmp_path / "vendor", None)
    environment = service_environment(url, machine)
    with vendor.serving(DATABASE_URL=url) as server:
        assert httpx.get(f"{server.url}/readyz").status_code == 503
    with running(BIN / "db-api", "serve", env=environment) as server:
        assert httpx.get(f"{server.url}/api/health/ready").status_code == 503
        answer = httpx.get(f"{server.url}/rest/v1/notes", headers={"apikey": "a" * 64})
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
