"""A data API whose PostgreSQL crashes under load, and one that is stopped itself."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import asyncpg
import httpx
import pytest

from db_api.control.migrations import migrate
from support.licensed import LicensedMachine, simulator_of_today
from support.management import PASSWORD, USER, service_environment
from support.postgres import Cluster, own_cluster
from support.servers import BIN, RunningServer, running

pytestmark = pytest.mark.timeout(300)  # it starts many processes, on machines that are busy

CRASHES = 3
WRITERS = 4
TABLES = """
CREATE SCHEMA shop;
CREATE TABLE shop.notes (n int PRIMARY KEY);
CREATE VIEW shop.slow AS SELECT pg_sleep(2)::text AS slept, 1 AS n;
"""
SLEEPING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"


@dataclass
class Writers:
    """Clients that create rows all the time, each on connections of its own.

    Attributes:
        answers: how often each status was answered.
        acknowledged: the rows that were said to be created.
        broken: what else came of requests.
    """

    url: str
    key: str
    answers: Counter[int] = field(default_factory=Counter)
    acknowledged: set[int] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = count(1)
        self._changed = threading.Condition()
        self._stop = threading.Event()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Let them write meanwhile."""
        threads = [threading.Thread(target=self._write) for _ in range(WRITERS)]
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

    def _write(self) -> None:
        headers = {"apikey": self.key}
        with httpx.Client(base_url=self.url, headers=headers, timeout=30) as client:
            while not self._stop.is_set():
                number = next(self._numbers)
                try:
                    self._note(number, client.post("/rest/v1/notes", json={"n": number}))
                except httpx.HTTPError as error:
                    self.broken.append(repr(error))

    def _note(self, number: int, answer: httpx.Response) -> None:
        if answer.status_code == 503 and "retry-after" not in answer.headers:
            self.broken.append("503 without Retry-After")
        with self._changed:
            self.answers[answer.status_code] += 1
            if answer.status_code == 201:
                self.acknowledged.add(number)
            self._changed.notify_all()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Run a PostgreSQL that these tests may stop."""
    with own_cluster() as running_cluster:
        yield running_cluster


@pytest.fixture(scope="module")
def served(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningServer, str]]:
    """Serve a schema, and make a key of it."""
    asyncio.run(migrate(cluster.url))
    asyncio.run(run(cluster.url, TABLES))
    machine = licensed(tmp_path_factory.mktemp("license"))
    environment = service_environment(
        cluster.url, machine, KEY_REQUESTS_PER_SECOND="100000", KEY_BURST="100000"
    )
    with running(BIN / "db-api", "serve", env=environment) as server:
        yield server, new_key(server)


def licensed(folder: Path) -> LicensedMachine:
    machine = LicensedMachine(folder, simulator_of_today())
    machine.learn()
    return machine


def new_key(server: RunningServer) -> str:
    answer = httpx.post(
        f"{server.url}/api/project/shop/keys",
        json={"keyName": "writer", "keyType": "service_role"},
        auth=(USER, PASSWORD),
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["key"])


async def run(url: str, statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


async def fetch(url: str, query: str) -> list[object]:
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch(query)]
    finally:
        await connection.close()


def require_no_loss(cluster: Cluster, served: tuple[RunningServer, str], crashes: int) -> None:
    """Crash the database under load, and assert that no acknowledged row is lost."""
    server, key = served
    writers = Writers(server.url, key)
    with writers.writing():
        writers.wait_for(201)
        for _ in range(crashes):
            cluster.stop()
            writers.wait_for(503)
            assert httpx.get(f"{server.url}/api/health").status_code == 200
            cluster.start()
            writers.wait_for(201)

    assert writers.broken == []
    assert set(writers.answers) <= {201, 503, 504}
    stored = set(asyncio.run(fetch(cluster.url, "SELECT n FROM shop.notes")))
    assert writers.acknowledged <= stored


def test_a_database_that_crashes_under_load_loses_no_acknowledged_row(
    cluster: Cluster, served: tuple[RunningServer, str]
) -> None:
    require_no_loss(cluster, served, CRASHES)


def test_a_service_that_is_told_to_stop_answers_what_it_has_accepted(
    cluster: Cluster, served: tuple[RunningServer, str], tmp_path: Path
) -> None:
    key = served[1]
    environment = service_environment(cluster.url, licensed(tmp_path))
    answers: list[httpx.Response] = []
    with running(BIN / "db-api", "serve", env=environment) as server:

        def ask() -> None:
            headers = {"apikey": key}
            answers.append(
                httpx.get(f"{server.url}/rest/v1/slow?select=n", headers=headers, timeout=30)
            )

        asking = [threading.Thread(target=ask) for _ in range(3)]
        for thread in asking:
            thread.start()
        while asyncio.run(fetch(cluster.url, SLEEPING)) != [3]:
            pass
        status = server.stop()
        for thread in asking:
            thread.join()
    assert status == 0
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, [{"n": 1}])] * 3
