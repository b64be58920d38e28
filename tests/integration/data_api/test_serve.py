import re
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from support.licensed import LicensedMachine
from support.management import PASSWORD, USER, service_environment
from support.servers import BIN, running
from support.tcp_forwarder import forwarding, free_port, through
from support.tls import issue_certificate

ADMIN = httpx.BasicAuth(USER, PASSWORD)
PATIENCE_SECONDS = 30


def until(question: Callable[[], bool]) -> None:
    """Ask until the answer is yes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not question():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def test_a_licensed_service_answers_over_tls_and_ends_with_0(
    database_url: str, machine: LicensedMachine, tmp_path: Path
) -> None:
    tls = issue_certificate(tmp_path)
    environment = service_environment(
        database_url, machine, TLS_CERT_FILE=str(tls.cert), TLS_KEY_FILE=str(tls.key)
    )
    with running(BIN / "db-api", "serve", env=environment) as server:
        with httpx.Client(base_url=server.url, verify=tls.client_context()) as client:
            health = client.get("/api/health")
            schemas = client.get("/api/schemas", auth=ADMIN)

        assert server.stop() == 0

    assert health.json()["status"] == "ok"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", health.json()["timestamp"])
    assert list(health.json()) == ["status", "timestamp"]
    assert "max-age" in health.headers["strict-transport-security"]
    assert schemas.status_code == 200


def test_the_log_holds_no_credential(database_url: str, machine: LicensedMachine) -> None:
    environment = service_environment(database_url, machine)
    with (
        running(BIN / "db-api", "serve", env=environment) as server,
        httpx.Client(base_url=server.url) as client,
    ):
        key = client.post(
            "/api/project/public/keys", json={"keyName": "x", "keyType": "anon"}, auth=ADMIN
        ).json()["key"]
        client.get("/api/tables", headers={"apikey": key})
        client.get("/api/tables", headers={"apikey": "f" * 64})
        client.get(f"/api/tables?apikey={key}", auth=("admin", "hunter2hunter2"))
        server.wait_for_event("http.access", path="/api/tables")
        server.stop()
        log = server.log

    for secret in (key, "f" * 64, PASSWORD, "hunter2", machine.license.key, machine.license.email):
        assert secret not in log


def test_a_revocation_locks_a_running_service_and_a_renewal_opens_it(
    database_url: str, machine: LicensedMachine
) -> None:
    environment = service_environment(database_url, machine)
    with (
        running(BIN / "db-api", "serve", env=environment) as server,
        httpx.Client(base_url=server.url, auth=ADMIN) as client,
    ):
        assert client.get("/api/schemas").status_code == 200

        machine.learn("REVOKED")
        until(lambda: client.get("/api/schemas").status_code == 403)
        assert client.get("/api/health").status_code == 200
        assert client.get("/api/license/status").json()["code"] == "REVOKED"

        machine.learn("VALID")
        until(lambda: client.get("/api/schemas").status_code == 200)


def test_a_key_revoked_in_one_process_is_refused_in_another(
    database_url: str, machine: LicensedMachine
) -> None:
    environment = service_environment(database_url, machine)
    with (
        running(BIN / "db-api", "serve", env=environment) as one,
        running(BIN / "db-api", "serve", env=environment) as two,
        httpx.Client(base_url=one.url, auth=ADMIN) as admin,
        httpx.Client(base_url=two.url) as visitor,
    ):
        body = {"keyName": "x", "keyType": "anon"}
        key = admin.post("/api/project/public/keys", json=body).json()
        visitor.headers["apikey"] = key["key"]
        assert visitor.get("/api/tables").status_code == 200

        admin.delete(f"/api/project/public/keys/{key['id']}")

        until(lambda: visitor.get("/api/tables").status_code == 401)


def test_a_service_whose_database_is_down_starts_and_is_ready_once_it_is_back(
    database_url: str, machine: LicensedMachine
) -> None:
    port = free_port()
    environment = service_environment(through(database_url, port), machine)
    with (
        running(BIN / "db-api", "serve", env=environment) as server,
        httpx.Client(base_url=server.url, auth=ADMIN) as client,
    ):
        down = client.get("/api/health/ready")
        refused = client.get("/api/schemas")
        health = client.get("/api/health")
        with forwarding(database_url, port):
            until(lambda: client.get("/api/health/ready").status_code == 200)
            back = client.get("/api/schemas")
            server.stop()

    assert (down.status_code, down.json()["checks"]) == (
        503,
        {"database": "unreachable", "schemaCache": "unknown", "license": "ok"},
    )
    assert (refused.status_code, refused.json()["code"]) == (503, "DBAPI002")
    assert int(refused.headers["retry-after"]) >= 1
    assert health.status_code == 200
    assert back.status_code == 200
