import json
import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from support.commands import BIN, run_command
from support.licensed import LicensedMachine
from support.tcp_forwarder import free_port


@contextmanager
def demo(*arguments: str, env: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    command = [str(BIN / "db-api"), "demo", "--port", str(free_port()), "--json", *arguments]
    with subprocess.Popen(
        command, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def read_line(process: "subprocess.Popen[str]") -> dict[str, str]:
    assert process.stdout is not None
    line: dict[str, str] = json.loads(process.stdout.readline())
    return line


def postgres_socket(database_url: str) -> Path:
    return Path(parse_qs(urlsplit(database_url).query)["host"][0]) / ".s.PGSQL.5432"


def test_the_demo_without_a_license_says_how_to_get_one() -> None:
    done = run_command("db-api", "demo")

    assert (done.returncode, done.stdout) == (78, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("license: ")
    assert "make demo" in done.stderr


def test_the_demo_with_a_revoked_license_does_not_start(machine: LicensedMachine) -> None:
    machine.learn("REVOKED")

    with demo(env=machine.environment) as process:
        assert process.stdout is not None
        assert process.stdout.read() == ""
        assert process.wait() == 78


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_serves_the_airports_and_leaves_nothing_behind(
    machine: LicensedMachine, stop: signal.Signals
) -> None:
    with demo(env=machine.environment) as process:
        ready = read_line(process)
        with httpx.Client(base_url=ready["url"]) as client:
            airports = client.get(
                "/rest/v1/airports?select=icao,city,country&icao=eq.EDDF",
                headers={"apikey": ready["anonKey"]},
            )
            counted = client.head(
                "/rest/v1/airports", headers={"apikey": ready["anonKey"], "Prefer": "count=exact"}
            )
            country = client.post(
                "/rest/v1/countries",
                json={"code": "XX", "name": "Nowhere"},
                headers={"apikey": ready["serviceKey"]},
            )
            tables = client.get(
                "/api/tables?schema=demo", auth=(ready["user"], ready["password"])
            ).json()["data"]
        process.send_signal(stop)
        assert process.wait() == 0

    assert airports.json() == [{"icao": "EDDF", "city": "Frankfurt am Main", "country": "DE"}]
    assert int(counted.headers["content-range"].partition("/")[2]) > 28_000
    assert country.status_code == 201
    assert [table["name"] for table in tables] == ["airports", "countries"]
    assert [key["referencedTable"] for key in tables[0]["foreignKeys"]] == ["countries"]
    assert not postgres_socket(ready["databaseUrl"]).exists()
    assert not postgres_socket(ready["databaseUrl"]).parent.exists()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Make a folder that the account which runs PostgreSQL for root may enter."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_demo_in_a_folder_goes_on_with_its_data_and_new_keys(
    machine: LicensedMachine, open_folder: Path
) -> None:
    folder = ("--folder", str(open_folder / "demo"))
    with demo(*folder, env=machine.environment) as process:
        first = read_line(process)
        process.send_signal(signal.SIGINT)
        process.wait()

    with demo(*folder, env=machine.environment) as process:
        second = read_line(process)
        old = httpx.get(f"{second['url']}/api/tables", headers={"apikey": first["anonKey"]})
        new = httpx.get(f"{second['url']}/api/tables", headers={"apikey": second["anonKey"]})

    assert (old.status_code, new.status_code) == (401, 200)


def test_the_demo_opens_no_private_folder_to_others(
    machine: LicensedMachine, tmp_path: Path
) -> None:
    tmp_path.chmod(0o700)

    with demo("--folder", str(tmp_path / "demo"), env=machine.environment) as process:
        assert process.stdout is not None
        process.stdout.readline()  # empty for root, whose PostgreSQL may not enter the folder

    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_a_demo_that_cannot_have_its_folder_says_so_in_one_line(
    machine: LicensedMachine, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    done = run_command(
        "db-api", "demo", "--folder", str(tmp_path / "file/x"), env=machine.environment
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "--folder" in done.stderr


def test_a_folder_that_postgresql_refuses_ends_the_demo_with_its_words(
    machine: LicensedMachine, open_folder: Path
) -> None:
    (open_folder / "data").mkdir(mode=0o700)
    (open_folder / "data/PG_VERSION").write_text("9.6\n")

    done = run_command("db-api", "demo", "--folder", str(open_folder), env=machine.environment)

    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "pg_ctl said: " in done.stderr
