"""What a vendor and a customer do with the Compose files, and what happens to them."""

import base64
import json
import re
import time
from datetime import UTC, datetime

import httpx
import pytest
from postgrest import SyncPostgrestClient

from e2e.compose.conftest import BOOKS, CONSOLE_PORT, Running, activate
from license_server.totp import code_at
from support.compose import Stack, docker

pytestmark = pytest.mark.timeout(300)


def test_a_real_client_reads_over_https(running: Running) -> None:
    url = f"{running.api.url}/rest/v1"
    with httpx.Client(base_url=url, verify=running.api.tls, headers=running.headers) as http:
        client = SyncPostgrestClient(url, headers=running.headers, http_client=http)
        rows = client.from_("books").select("title").order("id").execute().data

    assert rows == [{"title": "Middlemarch"}, {"title": "Romola"}]


def test_an_operator_comes_in_through_the_published_console(running: Running) -> None:
    add = ("license-server", "operator", "add", "grace", "--role", "owner", "--json")
    made = json.loads(running.stack.execute("license-server", *add))
    url = f"https://localhost:{CONSOLE_PORT}"
    with httpx.Client(base_url=url, verify=running.api.tls) as browser:
        token = re.search(r'name="csrf" value="(\w+)"', browser.get("/console/sign-in").text)
        assert token is not None
        code = code_at(base64.b32decode(made["totp_secret"]), datetime.now(UTC))
        form = {"csrf": token[1], "name": "grace", "password": made["password"], "code": code}
        assert browser.post("/console/sign-in", data=form).headers["location"] == "/console/"


def test_a_wrong_license_ends_the_start_with_78(running: Running) -> None:
    wrong = ("-e", "LICENSE_GATE=exit", "-e", "LICENSE_CACHE_DIR=/tmp/license")
    key = running.license["key"]
    owner = ("-e", f"LICENSE_KEY={key}", "-e", "LICENSE_EMAIL=eve@example.com")
    run = ("run", "--rm", "--no-deps", "-T", *wrong, *owner, "db-api")

    done = running.stack.compose(*run, check=False)

    assert done.returncode == 78, done.stderr
    assert any(line.startswith("license: EMAIL_MISMATCH") for line in done.stderr.splitlines())


def test_up_fails_where_there_is_no_license(running: Running) -> None:
    del running  # whose images are there
    alone = Stack(
        "licensed-wrong",
        "compose.customer.yaml",
        DB_API_PORT="13003",
        LICENSE_GATE="exit",
        LICENSE_KEY="LIC-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA",
        LICENSE_EMAIL="eve@example.com",
    )
    try:
        done = alone.compose("up", "--wait", check=False)
        log = alone.compose("logs", "db-api").stdout
        while (state := alone.inspect("db-api")["State"])["Status"] != "exited":
            time.sleep(0.5)  # it is tried three times more
    finally:
        alone.compose("down", "--volumes", "--timeout", "5")

    assert done.returncode != 0
    assert "license: CONFIG_INVALID LICENSE_KEY" in log
    assert state["ExitCode"] == 78


def test_data_flows_while_the_license_server_does_not(running: Running) -> None:
    stack = running.stack
    network = f"{stack.name}_outside"
    stack.compose("pause", "license-server")
    assert running.is_served()
    stack.compose("unpause", "license-server")
    server = stack.container("license-server")
    docker("network", "disconnect", network, server)
    assert running.is_served()
    docker("network", "connect", "--alias", "license-server", network, server)

    stack.compose("stop", "license-server")
    stack.compose("restart", "db-api")
    running.api.until(BOOKS, running.headers)
    stack.compose("start", "license-server")
    stack.compose("up", "--wait")


def test_a_database_that_restarts_is_found_again(running: Running) -> None:
    running.stack.compose("restart", "customer-db")
    running.api.until(BOOKS, running.headers)


def test_a_suspended_license_closes_and_a_reinstated_one_opens(running: Running) -> None:
    command = ("license-server", "license-server", "license")
    running.stack.execute(*command, "suspend", running.license["id"])
    assert activate(running.stack, running.license, check=False) != 0
    running.api.until(BOOKS, running.headers, 403)
    assert running.api.status("/api/health", {}) == 200

    running.stack.execute(*command, "reinstate", running.license["id"])
    activate(running.stack, running.license)
    running.api.until(BOOKS, running.headers)
