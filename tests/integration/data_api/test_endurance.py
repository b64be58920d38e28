"""A real service that is short of what the system gives it: connections, files, a log."""

import resource
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from support.licensed import LicensedMachine
from support.management import service_environment
from support.postgres import SharedPostgres
from support.servers import BIN
from support.studio import Studio, serving_studio
from support.tcp_forwarder import free_port

CROWD = 800
PATIENCE_SECONDS = 60

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def studio(postgres: SharedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("license")
    with serving_studio(postgres, folder) as serving:
        yield serving


def read(studio: Studio) -> int:
    """Read a row on a connection of its own, and return the status."""
    headers = {"apikey": studio.service_key}
    return httpx.get(f"{studio.rest}/films?id=eq.1", headers=headers, timeout=30).status_code


def test_800_connections_that_send_almost_nothing_harm_nobody(studio: Studio) -> None:
    with ExitStack() as stack:
        crowd = [
            stack.enter_context(socket.create_connection(("127.0.0.1", studio.server.port)))
            for _ in range(CROWD)
        ]
        for slow in crowd:
            slow.sendall(b"GET /rest/v1/films HTTP/1.1\r\nHost: x\r\nA: b")
        assert [read(studio) for _ in range(100)] == [200] * 100
        for slow in crowd:
            slow.settimeout(PATIENCE_SECONDS)
            assert slow.recv(4096).startswith(b"HTTP/1.1 408")
    assert read(studio) == 200


def test_a_service_without_files_left_recovers_once_clients_leave(studio: Studio) -> None:
    _, hard = resource.prlimit(studio.server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(studio.server.pid, resource.RLIMIT_NOFILE, (128, hard))
    try:
        with ExitStack() as stack:
            for _ in range(300):
                stack.enter_context(socket.create_connection(("127.0.0.1", studio.server.port)))
            with suppress(httpx.TransportError):
                httpx.get(f"{studio.server.url}/api/health", timeout=1)
    finally:
        resource.prlimit(studio.server.pid, resource.RLIMIT_NOFILE, (hard, hard))
    until_answered(f"{studio.rest}/films?id=eq.1", {"apikey": studio.service_key})


def test_a_service_whose_log_has_no_room_keeps_serving(
    database_url: str, machine: LicensedMachine
) -> None:
    port = free_port()
    environment = {**service_environment(database_url, machine), "PORT": str(port)}
    url = f"http://127.0.0.1:{port}/api/"
    with Path("/dev/full").open("w") as full:
        service = subprocess.Popen([BIN / "db-api", "serve"], env=environment, stderr=full)
        try:
            until_answered(f"{url}health", {})
            refused = [httpx.get(f"{url}schemas", auth=("x", "y")).status_code for _ in range(5)]
            assert refused == [401] * 5  # each is logged, or would be
            assert httpx.get(f"{url}health").status_code == 200
        finally:
            service.terminate()
            # 120 is what Python itself makes of 0, of a process whose last line was not written
            assert service.wait(PATIENCE_SECONDS) in {0, 120}


def until_answered(url: str, headers: dict[str, str]) -> None:
    """Wait until a service answers 200."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with suppress(httpx.TransportError):
            assert httpx.get(url, headers=headers, timeout=30).status_code == 200
            return
        assert time.monotonic() < deadline
