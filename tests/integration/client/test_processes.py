"""Several processes and one cache, processes that are killed, disks that refuse."""

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from license_client import OfflineError, State
from license_client.testing.simulator import License, Request, Simulator, unreachable
from support.client_machine import Machine
from support.client_network import serving

TESTS = Path(__file__).parents[2]
NOBODY = 65_534
SLOW = {"httpx", "ssl", "socket", "asyncio", "logging", "click", "dataclasses", "inspect", "uuid"}

CLIENT = """
import json, sys
from license_client import LicenseClient, OfflineError
client = LicenseClient.from_env(product="demo-product")
calls = sys.argv[1:]
while calls:
    try:
        status = getattr(client, calls[0])()
    except OfflineError:  # it was not its turn for too long, on a busy machine
        continue
    calls.pop()
print(json.dumps([status.state, status.license_id]))
"""

MODULES = """
import json, sys
from pathlib import Path
from license_client import LicenseClient
status = LicenseClient.from_env(product="demo-product").status()
print(json.dumps([status.state, sorted(sys.modules)]))
"""

NO_FILES = """
import json, resource
from license_client import LicenseClient, OfflineError
client = LicenseClient.from_env(product="demo-product")
client.status()
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
try:
    client.validate()
except OfflineError:
    usable = client.status().usable
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(json.dumps([usable, client.validate().usable]))
"""

PROGRAM = """
from license_client import require_license
license = require_license(product="demo-product")
print(license.status.state, license.status.days_left)
"""


def environment(machine: Machine, url: str = "") -> dict[str, str]:
    trust = machine.folder.parent / "trust.json"
    trust.write_bytes(machine.simulator.vendor.trust)
    return {
        **os.environ,
        "PYTHONPATH": str(TESTS),
        "LICENSE_SERVER_URL": url,
        "LICENSE_KEY": str(machine.options["license_key"]),
        "LICENSE_EMAIL": str(machine.options["email"]),
        "LICENSE_ENCRYPTION_KEY": str(machine.options["encryption_key"]),
        "LICENSE_CACHE_DIR": str(machine.folder),
        "LICENSE_TRUST_FILE": str(trust),
    }


def start(script: str, environ: dict[str, str], *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments], env=environ, stdout=subprocess.PIPE, text=True
    )


def result(process: "subprocess.Popen[str]") -> list[object]:
    output, _ = process.communicate()
    assert process.returncode == 0
    answer: list[object] = json.loads(output)
    return answer


def a_second_later(simulator: Simulator, request: Request) -> httpx.Response:
    simulator.clock.advance(1)
    return simulator.answer(request)


def test_four_processes_share_a_cache_and_the_last_answer_stays(
    machine: Machine, server: Simulator, license_: License
) -> None:
    server.switch = a_second_later
    with serving(server) as url:
        environ = environment(machine, url)
        processes = [start(CLIENT, environ, *["validate"] * 10) for _ in range(4)]
        assert [result(process) for process in processes] == [
            [State.ACTIVE, license_.license_id]
        ] * 4
    assert len({request.members["instance_id"] for request in server.requests}) == 1
    status = machine.start().status()
    assert status.last_verified_at is not None
    assert int(status.last_verified_at.timestamp()) == server.clock.wall


def test_one_of_four_processes_refreshes(machine: Machine, server: Simulator) -> None:
    with serving(server) as url:
        environ = environment(machine, url)
        processes = [start(CLIENT, environ, "refresh_if_due") for _ in range(4)]
        for process in processes:
            result(process)
    assert len(server.requests) == 1
    assert machine.start().status().usable


def test_a_start_from_the_cache_loads_no_network_and_no_asyncio(
    machine: Machine, server: Simulator
) -> None:
    with serving(server) as url:
        environ = environment(machine, url)
        result(start(CLIENT, environ, "activate"))
    state, modules = result(start(MODULES, environ))
    assert state == State.ACTIVE
    assert isinstance(modules, list)
    slow = {
        "httpx",
        "ssl",
        "socket",
        "asyncio",
        "logging",
        "click",
        "dataclasses",
        "inspect",
        "uuid",
    }
    assert slow & set(modules) == set()


def test_a_hundred_writers_that_are_killed_leave_no_unreadable_cache(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "support.client_killer", str(tmp_path), "100"],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
        check=True,
    )
    told = json.loads(done.stdout)
    assert (told["unreadable"], told["backward"]) == (0, 0)
    assert told["written"] > 0
    assert set(told["files"]) <= {"license.json", "license.json.tmp", "license.lock"}


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up being root, who may write everywhere, for a while."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder outside of pytest's own, into which nobody else may look."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_a_read_only_folder_is_read_and_the_program_runs_from_memory(
    machine: Machine, server: Simulator, license_: License, open_folder: Path
) -> None:
    machine.options["cache_dir"] = open_folder
    machine.start().activate()
    for file in open_folder.iterdir():
        file.chmod(0o444)
    open_folder.chmod(0o555)
    with as_nobody():
        client = machine.start()
        assert client.status().usable
        server.change(license_, code="REVOKED")
        revoked = client.validate()
        assert revoked.state is State.REVOKED
        assert any("cannot be written" in notice for notice in revoked.notices)
        assert client.status().state is State.REVOKED
    open_folder.chmod(0o755)


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow past its first bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_keeps_the_old_file_and_the_next_write_brings_the_new(
    machine: Machine, server: Simulator, license_: License
) -> None:
    client = machine.start()
    client.activate()
    server.change(license_, code="REVOKED")
    with full_disk():
        revoked = client.validate()
    assert revoked.state is State.REVOKED
    assert any("cannot be written" in notice for notice in revoked.notices)
    assert machine.start().status().usable  # what another process sees meanwhile
    assert client.status().state is State.REVOKED
    server.switch = unreachable
    with pytest.raises(OfflineError):
        client.validate()
    assert machine.start().status().state is State.REVOKED


def test_a_file_that_may_not_be_read_counts_as_none(machine: Machine, open_folder: Path) -> None:
    machine.options["cache_dir"] = open_folder
    machine.start().activate()
    with as_nobody():
        status = machine.start().status()
    assert (status.state, status.code) == (State.UNLICENSED, "CACHE_UNREADABLE")
    assert machine.start().status().usable


def test_a_process_without_files_left_to_open_is_offline_until_it_has_some(
    machine: Machine, server: Simulator
) -> None:
    machine.start().activate()
    with serving(server) as url:
        assert result(start(NO_FILES, environment(machine, url))) == [True, True]


def run_program(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=False
    )


def test_a_program_that_requires_a_license_gets_one_and_keeps_it_offline(machine: Machine) -> None:
    with serving(machine.simulator) as url:
        done = run_program(environment(machine, url))
    assert (done.returncode, done.stdout, done.stderr) == (0, "ACTIVE None\n", "")
    done = run_program(environment(machine, url))
    assert (done.returncode, done.stdout) == (0, "ACTIVE None\n")


def test_a_program_without_a_license_ends_with_one_line(
    machine: Machine, license_: License, server: Simulator
) -> None:
    server.change(license_, code="REVOKED")
    with serving(machine.simulator) as url:
        done = run_program(environment(machine, url))
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr == "license: REVOKED The license has been revoked. Ask the vendor.\n"


def test_a_program_with_wrong_settings_names_all_of_them(machine: Machine) -> None:
    env = environment(machine, "http://10.1.2.3") | {"LICENSE_START_WAIT": "soon"}
    done = run_program(env)
    assert done.returncode == 78
    assert done.stderr.startswith("license: CONFIG_INVALID LICENSE_SERVER_URL: ")
    assert "LICENSE_START_WAIT: expected a number of seconds" in done.stderr
    assert len(done.stderr.splitlines()) == 1
