import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
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


def test_a_demo_in_a_folder_goes_on_with_its_data_and_new_keys(
    machine: LicensedMachine, tmp_path: Path
) -> None:
    folder = ("--folder", str(tmp_path / "demo"))
    with demo(*folder, env=machine.environment) as process:
        first = read_line(process)
        process.send_signal(signal.SIGINT)
        process.wait()

    with demo(*folder, env=machine.environment) as process:
        second = read_line(process)
        old = httpx.get(f"{second['url']}/api/tables", headers={"apikey": first["anonKey"]})
        new = httpx.get(f"{second['url']}/api/tables", headers={"apikey": second["anonKey"]})

    assert (old.status_code, new.status_code) == (401, 200)
