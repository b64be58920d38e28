"""A web application under load, while its license server goes through every fault there is."""

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import trustme

from license_client.testing.clock import HOUR
from license_client.testing.simulator import License, Simulator
from support.client_commands import configured
from support.client_machine import Machine
from support.client_network import serving
from support.faulted_programs import TESTS
from support.faults import FAULTS, on_loopback
from support.switchboard import Switchboard

GROWTH_KB = 20_000
USERS = 2


@pytest.fixture
def network() -> Iterator[Switchboard]:
    with Switchboard() as board:
        yield board


@pytest.fixture
def settings(
    environ: dict[str, str], license_: License, network: Switchboard, ca_file: Path
) -> dict[str, str]:
    return {
        **configured(environ, license_, network.url),
        "LICENSE_CA_FILE": str(ca_file),
        "PYTHONPATH": str(TESTS),
    }


@contextmanager
def application(settings: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Run the application; its URL and process."""
    command = [sys.executable, "-m", "support.gated_program"]
    with subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/data", process.pid
        finally:
            process.terminate()


@contextmanager
def under_load(url: str) -> Iterator[Counter[object]]:
    """Ask for data all the time, and count what comes of it."""
    outcomes: Counter[object] = Counter()
    over = threading.Event()

    def use() -> None:
        with httpx.Client(timeout=60) as client:
            while not over.is_set():
                try:
                    outcomes[client.get(url).status_code] += 1
                except httpx.HTTPError as error:
                    outcomes[repr(error)] += 1

    users = [threading.Thread(target=use) for _ in range(USERS)]
    for user in users:
        user.start()
    try:
        yield outcomes
    finally:
        over.set()
        for user in users:
            user.join()


def memory_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


# threats.md F1-F4, F21
@pytest.mark.timeout(300)
def test_no_request_fails_through_all_faults_and_a_revocation_closes_the_gate(
    machine: Machine,
    server: Simulator,
    license_: License,
    network: Switchboard,
    settings: dict[str, str],
    authority: trustme.CA,
) -> None:
    server.clock.turn(-7 * HOUR)  # since then a refresh is due, and stays so until an answer
    machine.start().activate()
    server.clock.turn(7 * HOUR)
    with application(settings) as (url, pid):
        network.wait_for_calls(2)
        before = memory_kb(pid)
        with under_load(url) as outcomes:
            for fault in FAULTS.values():
                with fault(authority) as license_server:
                    network.connect_to(license_server)
                    network.wait_for_calls(2)  # when the second begins, the first has had its way
        assert set(outcomes) == {200}
        assert memory_kb(pid) - before < GROWTH_KB
        server.change(license_, code="REVOKED")
        with serving(server, on_loopback(authority)) as license_server:
            network.connect_to(license_server)
            while httpx.get(url, timeout=60).status_code == 200:
                continue
            refused = httpx.get(url, timeout=60)
        assert (refused.status_code, refused.json()["code"]) == (403, "REVOKED")
        assert len(server.requests) == 2
