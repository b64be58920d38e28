"""Every socket on which the services listen: what is reachable from elsewhere speaks TLS."""

import asyncio
import re
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from db_api.control.migrations import migrate
from support.licensed import LicensedMachine, simulator_of_today
from support.logins import MODEST, new_login
from support.management import service_environment
from support.servers import BIN, RunningServer, running
from support.tls import TlsFiles, issue_certificate
from support.tls_scan import require_modern, scan
from support.vendor import Vendor

EVERYWHERE = "0.0.0.0"
ENCRYPTION_KEY = "8e1f0b94c7d25a63f0e9b81d24c6a735019be8d7f2643ac5b07d1e9f8a63c254"

pytestmark = pytest.mark.timeout(240)  # sslscan tries a cipher a connection


@pytest.fixture
def tls(tmp_path: Path) -> TlsFiles:
    return issue_certificate(tmp_path, "localhost")


def listening(server: RunningServer) -> dict[str, list[int]]:
    """Return the ports on which a process listens, by address."""
    lines = subprocess.run(
        ["ss", "-H", "-l", "-t", "-n", "-p"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    found: dict[str, list[int]] = {}
    for line in lines:
        if f"pid={server.pid}," in line:
            address, _, port = re.split(r"\s+", line)[3].rpartition(":")
            found.setdefault(address, []).append(int(port))
    return found


def answer_in_clear(port: int) -> bytes:
    """Ask in plain HTTP, and return what comes before the connection ends."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            return connection.recv(1024)
        except ConnectionResetError:
            return b""


def require_tls(port: int) -> None:
    assert not answer_in_clear(port).startswith(b"HTTP/")
    require_modern(scan(port))


def test_a_license_server_for_everybody_speaks_tls_on_both_listeners(
    tls: TlsFiles, tmp_path: Path
) -> None:
    vendor = Vendor(tmp_path / "vendor", tls)
    with vendor.serving(HOST=EVERYWHERE, ADMIN_HOST=EVERYWHERE) as server:
        ports = listening(server)
        assert set(ports) == {EVERYWHERE}
        assert len(ports[EVERYWHERE]) == 2
        for port in ports[EVERYWHERE]:
            require_tls(port)


def test_a_data_api_for_everybody_speaks_tls_and_keeps_its_metrics_to_this_machine(
    tls: TlsFiles, new_database: Callable[..., str], tmp_path: Path
) -> None:
    machine = LicensedMachine(tmp_path / "license", simulator_of_today(), ENCRYPTION_KEY)
    machine.learn()
    settings = {
        "APP_ENV": "production",
        "HOST": EVERYWHERE,
        "METRICS_PORT": "0",
        "TLS_CERT_FILE": str(tls.cert),
        "TLS_KEY_FILE": str(tls.key),
    }
    with new_login(new_database(), "", MODEST) as url:
        asyncio.run(migrate(url))
        environment = service_environment(url, machine, **settings)
        with running(BIN / "db-api", "serve", env=environment) as server:
            server.wait_for_event("server.listening", listener="metrics")
            ports = listening(server)
            assert set(ports) == {EVERYWHERE, "127.0.0.1"}
            assert len(ports[EVERYWHERE]) == 1
            require_tls(ports[EVERYWHERE][0])


def test_by_default_nobody_else_is_served(new_database: Callable[..., str], tmp_path: Path) -> None:
    vendor = Vendor(tmp_path / "vendor", None)
    machine = LicensedMachine(tmp_path / "license", simulator_of_today())
    machine.learn()
    url = new_database()
    asyncio.run(migrate(url))
    environment = service_environment(url, machine, METRICS_PORT="0")
    with vendor.serving(HOST="", ADMIN_HOST="") as server:
        assert set(listening(server)) == {"127.0.0.1"}
    with running(BIN / "db-api", "serve", env=environment) as server:
        assert set(listening(server)) == {"127.0.0.1"}
