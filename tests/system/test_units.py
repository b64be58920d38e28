"""The systemd units: what they ask of systemd, and what their services need of it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from support.commands import run_command
from support.licensed import LicensedMachine, simulator_of_today
from support.logins import MODEST, new_login
from support.management import PASSWORD, USER
from support.units import NAMES, Unit, traced
from support.vendor import Vendor

MAX_EXPOSURE = "11"  # of 100: the network and a clock that can be read are what is left
ENCRYPTION_KEY = "8e1f0b94c7d25a63f0e9b81d24c6a735019be8d7f2643ac5b07d1e9f8a63c254"
FAMILIES = ("AF_INET,", "AF_INET6,", "AF_UNIX,")
NETLINK = "AF_NETLINK,"  # getaddrinfo looks for addresses of the machine, and goes on without

pytestmark = pytest.mark.timeout(240)  # a tracer slows everything down


@pytest.fixture(params=NAMES)
def unit(request: pytest.FixtureRequest) -> Unit:
    """Take each of the units."""
    return Unit(request.param)


def test_systemd_understands_every_line(unit: Unit, tmp_path: Path) -> None:
    command = ["systemd-analyze", "verify", "--man=no", str(unit.on_this_machine(tmp_path))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_sandbox_leaves_little_open(unit: Unit) -> None:
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager"]
    done = subprocess.run(
        [*command, f"--threshold={MAX_EXPOSURE}", str(unit.file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_a_service_that_settings_keep_from_starting_is_not_started_again(unit: Unit) -> None:
    statuses = {int(status) for status in unit.values("RestartPreventExitStatus")[0].split()}
    done = run_command(unit.name, *(["--dir", "/nowhere"] * (unit.name != "db-api")), "serve")
    assert done.returncode in statuses
    assert 78 in statuses


def test_the_data_api_needs_no_more_than_its_unit_gives(
    new_database: Callable[..., str], tmp_path: Path
) -> None:
    unit = Unit("db-api")
    machine = LicensedMachine(tmp_path / "state", simulator_of_today(), ENCRYPTION_KEY)
    machine.learn()
    with new_login(new_database(), "", MODEST) as url:
        files = {
            "database-url": url,
            "auth-pass-hash": run_command("db-api", "gen", "password-hash", stdin=PASSWORD).stdout,
            "license-key": machine.license.key,
            "license-email": machine.license.email,
            "license-encryption-key": ENCRYPTION_KEY,
        }
        assert run_command("db-api", "migrate", env={"DATABASE_URL": url}).returncode == 0
        settings = {
            "AUTH_USER": USER,
            "LICENSE_TRUST_FILE": str(machine.trust_file),
            "METRICS_PORT": "0",
        }
        with unit.started(tmp_path, files, settings) as (server, trace):
            schemas = httpx.get(f"{server.url}/api/schemas", auth=(USER, PASSWORD))
            ready = httpx.get(f"{server.url}/api/health/ready")
            assert server.stop() == 0
    assert (schemas.status_code, ready.status_code) == (200, 200)
    assert_within_the_sandbox(unit, trace, tmp_path)


def test_the_license_server_needs_no_more_than_its_unit_gives(
    new_database: Callable[..., str], tmp_path: Path
) -> None:
    unit = Unit("license-server")
    url = new_database()
    vendor = Vendor(tmp_path / "vendor", None, {"DATABASE_URL": url})
    (vendor.folder / "root.key").unlink()
    (vendor.folder / "database-url").write_text(url)
    with (vendor.folder / "license-server.env").open("a") as file:
        file.write("DATABASE_URL_FILE=database-url\nPUBLIC_URL=https://license.example.com\n")
    vendor.settings = {}
    vendor.create_product()  # commands find the database by the same file
    sold = vendor.sell("ada@example.com")
    files = {name: (vendor.folder / name).read_text() for name in unit.credentials}
    with unit.started(tmp_path, files, {}) as (server, trace):
        ready = httpx.get(f"{server.url}/readyz")
        asked = httpx.post(
            f"{server.url}/v1/licenses/activate",
            json={"license_key": sold.key},
        )
        assert server.stop() == 0
    assert (ready.status_code, asked.status_code) == (200, 400)
    assert (tmp_path / "state" / "audit-checkpoints.jsonl").exists()
    assert_within_the_sandbox(unit, trace, tmp_path)


def assert_within_the_sandbox(unit: Unit, trace: Path, folder: Path) -> None:
    """Hold what a service did against what its unit forbids."""
    calls = traced(trace)
    assert "accept4" in {call.name for call in calls}  # the trace is of the service
    assert {call.name for call in calls} - unit.allowed_calls == set()
    both = [c for c in calls if "PROT_WRITE|PROT_EXEC" in c.arguments]
    made = [c for c in calls if c.name.endswith("mprotect") and "PROT_EXEC" in c.arguments]
    assert both + made == []  # MemoryDenyWriteExecute
    opened = [call.arguments for call in calls if call.name == "socket"]
    assert unit.values("RestrictAddressFamilies") == ["AF_INET AF_INET6 AF_UNIX"]
    assert [one for one in opened if not one.startswith((*FAMILIES, NETLINK))] == []
    written = [
        call.arguments
        for call in calls
        if call.name in {"open", "openat"}
        and ("O_WRONLY" in call.arguments or "O_RDWR" in call.arguments)
    ]
    assert [
        one for one in written if str(folder / "state") not in one and "/dev/null" not in one
    ] == []
