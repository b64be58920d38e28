"""A license server whose PostgreSQL crashes or freezes, and one that is stopped itself."""

import asyncio
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import httpx
import pytest

from support.license_api import body
from support.postgres import Cluster, own_cluster
from support.servers import RunningServer
from support.vendor import Sold, Vendor

pytestmark = pytest.mark.timeout(300)  # it starts many processes, on machines that are busy

JSON = {"Content-Type": "application/json"}
THREADS = 4
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


class Customers:
    """Customers who ask all the time, each on connections of its own.

    Attributes:
        answers: how often each status was answered.
        broken: what else came of requests.
    """

    def __init__(self, server: RunningServer, sold: Sold) -> None:
        known = body(license_key=sold.key, email=sold.email)
        trial = b'{"email": "eve@example.com", "product": "db-api"}'
        self._requests = [
            (f"{server.url}/v1/licenses/activate", known),
            (f"{server.url}/v1/licenses/validate", known),
            (f"{server.url}/v1/trials", trial),
        ]
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self.answers: Counter[int] = Counter()
        self.broken: list[str] = []

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Let them ask meanwhile."""
        threads = [threading.Thread(target=self._ask) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def wait_for(self, status: int) -> None:
        """Wait until 10 more requests are answered by a status."""
        with self._changed:
            enough = self.answers[status] + 10
            assert self._changed.wait_for(lambda: self.answers[status] >= enough, 60), self.answers

    def _ask(self) -> None:
        with httpx.Client(headers=JSON, timeout=30) as client:
            while not self._stop.is_set():
                for url, content in self._requests:
                    try:
                        self._note(client.post(url, content=content))
                    except httpx.HTTPError as error:
                        self.broken.append(repr(error))

    def _note(self, answer: httpx.Response) -> None:
        if answer.status_code == 503 and "retry-after" not in answer.headers:
            self.broken.append("503 without Retry-After")
        with self._changed:
            self.answers[answer.status_code] += 1
            self._changed.notify_all()


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
        customers = Customers(server, sold)
        with customers.asking():
            for _ in range(2):
                customers.wait_for(200)
                cluster.stop()
                customers.wait_for(503)
                cluster.start()
            customers.wait_for(200)
            customers.wait_for(202)
        assert server.stop() == 0

    assert customers.answers.keys() == {200, 202, 503}
    assert customers.broken == []


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
        customers = Customers(server, sold)
        with customers.asking():
            customers.wait_for(200)
            status = server.stop()

    taken = server.events("http.access")
    assert status == 0
    assert len(taken) == customers.answers.total()
    assert {event["status"] for event in taken} <= {200, 202}
    assert customers.answers.keys() <= {200, 202}
