"""A license server whose PostgreSQL crashes or freezes, and one that is stopped itself."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import httpx
import pytest

from support.license_api import body
from support.postgres import Cluster, own_cluster
from support.servers import RunningServer
from support.steady_load import SteadyLoad
from support.vendor import Sold, Vendor

pytestmark = pytest.mark.timeout(300)  # it starts many processes, on machines that are busy

JSON = {"Content-Type": "application/json"}
BACKENDS = """SELECT pid FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Run a PostgreSQL that these tests may stop."""
    with own_cluster() as running:
        yield running


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Vendor:
    """Found a vendor on it."""
    settings = {
        "DATABASE_URL": cluster.url,
        "RATE_LIMIT_STORAGE_URI": "database://",
        "REQUESTS_PER_MINUTE": "1000000",
    }
    vendor = Vendor(tmp_path_factory.mktemp("faults") / "vendor", None, settings)
    vendor.create_product()
    return vendor


@pytest.fixture(scope="module")
def sold(vendor: Vendor) -> Sold:
    """Sell a license."""
    return vendor.sell("ada@example.com")


def asking(server: RunningServer, sold: Sold) -> SteadyLoad:
    """Let customers activate, validate and ask for trials in turn."""
    known = body(license_key=sold.key, email=sold.email)
    requests = [
        (f"{server.url}/v1/licenses/activate", known),
        (f"{server.url}/v1/licenses/validate", known),
        (f"{server.url}/v1/trials", b'{"email": "eve@example.com", "product": "db-api"}'),
    ]

    def ask(client: httpx.Client, number: int) -> httpx.Response:
        url, content = requests[number % len(requests)]
        return client.post(url, content=content, headers=JSON)

    return SteadyLoad(ask)


def validate(server: RunningServer, sold: Sold) -> int:
    """Ask whether a license is valid; return the status."""
    content = body(license_key=sold.key, email=sold.email)
    url = f"{server.url}/v1/licenses/validate"
    return httpx.post(url, content=content, headers=JSON, timeout=30).status_code


@contextmanager
def frozen_backends(cluster: Cluster) -> Iterator[int]:
    """Freeze the processes of PostgreSQL that serve others, and tell how many they are."""
    pids = asyncio.run(backends(cluster.url))
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield len(pids)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def backends(url: str) -> list[int]:
    """Return the processes of PostgreSQL that serve others."""
    connection = await asyncpg.connect(url)
    try:
        return [row["pid"] for row in await connection.fetch(BACKENDS)]
    finally:
        await connection.close()


def test_a_database_that_crashes_and_comes_back_costs_503_and_nothing_else(
    vendor: Vendor, sold: Sold, cluster: Cluster
) -> None:
    with vendor.serving() as server:
        customers = asking(server, sold)
        with customers.flowing():
            for _ in range(2):
                customers.wait_for(200)
                cluster.stop()
                customers.wait_for(503)
                cluster.start()
            customers.wait_for(200)
            customers.wait_for(202)
        assert server.stop() == 0

    assert customers.answers.keys() == {200, 202, 503}
    assert customers.broken == {}


def test_frozen_connections_cost_503_each_and_are_left_behind(
    vendor: Vendor, sold: Sold, cluster: Cluster
) -> None:
    with vendor.serving(RUN_WORKER="false") as server:
        assert validate(server, sold) == 200
        with frozen_backends(cluster) as frozen:
            statuses = [validate(server, sold)]
            while statuses[-1] != 200 and len(statuses) <= frozen:
                statuses.append(validate(server, sold))

    assert len(statuses) > 1
    assert statuses == [503] * (len(statuses) - 1) + [200]


def test_a_server_whose_database_is_frozen_stops_all_the_same(
    vendor: Vendor, sold: Sold, cluster: Cluster
) -> None:
    with vendor.serving(RUN_WORKER="false") as server:
        assert validate(server, sold) == 200
        with frozen_backends(cluster):
            assert server.stop() == 0, server.log


def test_a_stop_under_load_answers_whatever_was_taken(vendor: Vendor, sold: Sold) -> None:
    with vendor.serving() as server:
        customers = asking(server, sold)
        with customers.flowing():
            customers.wait_for(200)
            status = server.stop()

    taken = server.events("http.access")
    assert status == 0
    assert len(taken) == customers.answers.total()
    assert {event["status"] for event in taken} <= {200, 202}
    assert customers.answers.keys() <= {200, 202}
