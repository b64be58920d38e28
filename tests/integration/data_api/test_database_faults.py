"""A data API whose PostgreSQL crashes under load, and one that is stopped itself."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from db_api.control.migrations import migrate
from support.licensed import LicensedMachine, simulator_of_today
from support.management import create_key, execute, fetch, service_environment
from support.postgres import Cluster, own_cluster
from support.servers import BIN, RunningServer, running
from support.steady_load import SteadyLoad

pytestmark = pytest.mark.timeout(300)  # it starts many processes, on machines that are busy

CRASHES = 3
TABLES = """
CREATE SCHEMA shop;
CREATE TABLE shop.notes (n int PRIMARY KEY);
CREATE VIEW shop.slow AS SELECT pg_sleep(2)::text AS slept, 1 AS n;
"""
SLEEPING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"


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
    asyncio.run(execute(cluster.url, TABLES))
    machine = licensed(tmp_path_factory.mktemp("license"))
    environment = service_environment(
        cluster.url, machine, KEY_REQUESTS_PER_SECOND="100000", KEY_BURST="100000"
    )
    with running(BIN / "db-api", "serve", env=environment) as server:
        yield server, create_key(server.url, "shop")


def licensed(folder: Path) -> LicensedMachine:
    machine = LicensedMachine(folder, simulator_of_today())
    machine.learn()
    return machine


def require_no_loss(cluster: Cluster, served: tuple[RunningServer, str], crashes: int) -> None:
    """Crash the database under load, and assert that no acknowledged row is lost."""
    server, key = served
    notes, headers = f"{server.url}/rest/v1/notes", {"apikey": key}
    load = SteadyLoad(lambda client, n: client.post(notes, json={"n": n}, headers=headers))
    with load.flowing():
        load.wait_for(201)
        for _ in range(crashes):
            cluster.stop()
            load.wait_for(503)
            assert httpx.get(f"{server.url}/api/health").status_code == 200
            cluster.start()
            load.wait_for(201)

    assert load.broken == {}
    assert set(load.answers) <= {201, 503, 504}
    stored = set(asyncio.run(fetch(cluster.url, "SELECT n FROM shop.notes")))
    assert load.acknowledged <= stored


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
