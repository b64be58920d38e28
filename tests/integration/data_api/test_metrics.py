"""What Prometheus is told, and what a line of the log says."""

import asyncio
import json
import math
from pathlib import Path

import httpx
import pytest

from support.database_lock import holding_lock
from support.licensed import LicensedMachine
from support.management import ELSEWHERE, PASSWORD, USER, execute, running_api, service_environment
from support.servers import BIN, running
from support.tls import issue_certificate

pytestmark = pytest.mark.anyio

TABLES = """
CREATE TABLE public.items AS SELECT n AS id FROM generate_series(1, 3) AS n;
CREATE VIEW public.slow AS SELECT pg_advisory_lock(7)::text AS waited;
"""
PATIENT = {
    "POOL_TIMEOUT_SECONDS": "60",
    "LOCK_TIMEOUT_MS": "60000",
    "STATEMENT_TIMEOUT_SERVICE_MS": "60000",
}


def samples(text: str) -> dict[str, float]:
    """Read Prometheus' text form: the value of each series."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def test_only_the_administrator_sees_them(
    database_url: str, machine: LicensedMachine
) -> None:
    async with running_api(database_url, machine) as (api, _):
        key = await api.new_key("public", "service_role")
        nobody = await api.get("/metrics")
        with_key = await api.get("/metrics", headers={"apikey": key["key"]})
        admin = await api.get("/metrics", auth=api.admin)

    assert (nobody.status_code, with_key.status_code, admin.status_code) == (401, 403, 200)
    assert admin.headers["content-type"].startswith("text/plain; version=0.0.4")


async def test_requests_are_counted_by_the_template_of_their_route(
    database_url: str, machine: LicensedMachine
) -> None:
    await execute(database_url, TABLES)
    async with running_api(database_url, machine, MAX_ROWS_ANON="2") as (api, _):
        key = await api.new_key("public", "anon")
        headers = {"apikey": key["key"]}
        await api.get("/rest/v1/items", headers=headers)
        await api.get("/rest/v1/nothing-of-that-name", headers=headers)
        await api.get("/a/path/that/somebody/made/up")
        await api.request("BREW", "/api/health")
        text = (await api.get("/metrics", auth=api.admin)).text

    found = samples(text)
    table = 'method="GET",route="/rest/v1/{table}"'
    assert found[f'db_api_requests_total{{{table},status="200"}}'] == 1
    assert found[f'db_api_requests_total{{{table},status="404"}}'] == 1
    assert found['db_api_requests_total{method="GET",route="none",status="404"}'] == 1
    assert found['db_api_request_seconds_count{route="/rest/v1/{table}"}'] == 2
    assert found["db_api_truncated_results_total"] == 1
    assert "nothing-of-that-name" not in text
    assert "made" not in text
    assert "BREW" not in text


async def test_the_pool_shows_who_holds_and_who_waits(
    database_url: str, machine: LicensedMachine
) -> None:
    await execute(database_url, TABLES)
    async with (
        running_api(database_url, machine, ELSEWHERE, POOL_SIZE="1", **PATIENT) as (api, _),
        holding_lock(database_url) as lock,
    ):
        headers = {"apikey": (await api.new_key("public", "service_role"))["key"]}
        await api.get("/rest/v1/items", headers=headers)
        holder = asyncio.create_task(api.get("/rest/v1/slow", headers=headers))
        await lock.until_waited_for()
        waiter = asyncio.create_task(api.get("/rest/v1/items", headers=headers))
        found = await until_waiting(api)
        await lock.release()
        await asyncio.gather(holder, waiter)
        after = samples((await api.get("/metrics", auth=api.admin)).text)

    assert (found["db_api_pool_size"], found["db_api_pool_in_use"]) == (1, 1)
    assert (after["db_api_pool_in_use"], after["db_api_pool_waiting"]) == (0, 0)


async def until_waiting(api: httpx.AsyncClient) -> dict[str, float]:
    """Scrape until a request waits for a connection."""
    while True:
        found = samples((await api.get("/metrics", auth=(USER, PASSWORD))).text)
        if found["db_api_pool_waiting"] == 1:
            return found
        await asyncio.sleep(0.01)


async def test_a_license_that_ends_shows_and_hides_nothing(
    database_url: str, machine: LicensedMachine
) -> None:
    async with running_api(database_url, machine) as (api, gate):
        before = samples((await api.get("/metrics", auth=api.admin)).text)
        machine.learn("REVOKED")
        await gate.refresh()
        after = samples((await api.get("/metrics", auth=api.admin)).text)

    assert (before["db_api_license_usable"], after["db_api_license_usable"]) == (1, 0)
    assert before["db_api_license_expires_seconds"] == math.inf  # it is for life
    assert before["db_api_license_grace_ends_seconds"] == math.inf
    assert 0 <= machine.simulator.clock.wall - before["db_api_license_verified_seconds"] < 60
    assert after['db_api_license_state{state="REVOKED"}'] == 1
    assert 'db_api_license_state{state="ACTIVE"}' not in after


def test_they_have_a_port_of_their_own_where_security_events_are_counted(
    database_url: str, machine: LicensedMachine
) -> None:
    environment = service_environment(database_url, machine, METRICS_PORT="0")
    with running(BIN / "db-api", "serve", env=environment) as server:
        metrics = server.wait_for_event("server.listening", listener="metrics")["url"]
        for _ in range(3):
            httpx.get(f"{server.url}/api/schemas", auth=("admin", "wrong"))
        text = httpx.get(f"{metrics}/metrics").text
        other = httpx.get(f"{metrics}/api/schemas", auth=(USER, PASSWORD))
        server.stop()

    found = samples(text)
    assert found['db_api_security_events_total{event="auth.failed"}'] == 3
    assert found['db_api_security_events_total{event="auth.lockout"}'] == 0
    assert other.status_code == 404


def test_their_port_speaks_plain_http_beside_a_service_that_speaks_https(
    database_url: str, machine: LicensedMachine, tmp_path: Path
) -> None:
    tls = issue_certificate(tmp_path)
    files = {"TLS_CERT_FILE": str(tls.cert), "TLS_KEY_FILE": str(tls.key)}
    environment = service_environment(database_url, machine, METRICS_PORT="0", **files)
    with running(BIN / "db-api", "serve", env=environment) as server:
        metrics = server.wait_for_event("server.listening", listener="metrics")["url"]
        assert httpx.get(f"{metrics}/metrics").status_code == 200
        health = httpx.get(f"{server.url}/api/health", verify=tls.client_context())
    assert (server.url.partition(":")[0], health.status_code) == ("https", 200)


def test_the_line_of_a_request_says_which_key_was_used(
    database_url: str, machine: LicensedMachine
) -> None:
    environment = service_environment(database_url, machine)
    with (
        running(BIN / "db-api", "serve", env=environment) as server,
        httpx.Client(base_url=server.url) as client,
    ):
        body = {"keyName": "x", "keyType": "anon"}
        key = client.post("/api/project/public/keys", json=body, auth=(USER, PASSWORD)).json()
        client.get("/rest/v1/nothing", headers={"apikey": key["key"]})
        client.get("/api/health")
        with_key = server.wait_for_event("http.access", path="/rest/v1/nothing")
        without = server.wait_for_event("http.access", path="/api/health")

    assert with_key["key_prefix"] == key["keyPrefix"]
    assert "key_prefix" not in without
    assert key["key"] not in json.dumps(with_key)
