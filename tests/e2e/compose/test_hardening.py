"""Every hardening that the Compose files claim, read back from the inside and from Docker."""

import json

import pytest

from e2e.compose.conftest import Running
from support.compose import SECRETS, Stack, docker

pytestmark = pytest.mark.timeout(300)

DATABASES = ("vendor-db", "customer-db")
SERVICES = ("license-server", "db-api")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_runs_as_nobody_in_particular(stack: Stack, service: str) -> None:
    status = stack.python(service, "print(open('/proc/1/status').read())")
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)

    assert "0" not in facts["Uid"].split()
    assert {facts[name] for name in ("CapEff", "CapPrm", "CapBnd")} == {"0" * 16}
    assert facts["NoNewPrivs"] == "1"
    assert facts["Seccomp"] == "2"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_writes_nowhere_but_to_its_own_folder(stack: Stack, service: str) -> None:
    attempt = """
import pathlib, sys
for folder in ("/", "/etc", "/opt", "/usr/local/bin", "/run", "/run/secrets", "/var/lib", "/home"):
    try:
        (pathlib.Path(folder) / "written").write_text("x")
        print(folder)
    except OSError:
        pass
(pathlib.Path(sys.argv[1]) / "written").write_text("x")
"""
    own = {"license-server": "/var/lib/license-server", "db-api": "/var/lib/db-api"}[service]
    assert stack.python(service, attempt, own) == ""


@pytest.mark.parametrize("service", [*SERVICES, *DATABASES])
def test_docker_holds_the_limits(stack: Stack, service: str) -> None:
    host = stack.inspect(service)["HostConfig"]

    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["Privileged"] is False
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert (host["PidsLimit"], host["Memory"], host["NanoCpus"]) == (128, 512 * 2**20, 10**9)
    assert host["NetworkMode"] != "host"


@pytest.mark.parametrize("service", SERVICES)
def test_ports_are_published_on_this_machine_alone(stack: Stack, service: str) -> None:
    ports = stack.inspect(service)["HostConfig"]["PortBindings"]
    assert {binding["HostIp"] for bindings in ports.values() for binding in bindings} == {
        "127.0.0.1"
    }


@pytest.mark.parametrize("service", DATABASES)
def test_a_database_is_reached_from_its_own_network_alone(stack: Stack, service: str) -> None:
    found = stack.inspect(service)
    (network,) = found["NetworkSettings"]["Networks"]

    assert not found["HostConfig"]["PortBindings"]
    assert json.loads(docker("network", "inspect", network))[0]["Internal"] is True


def test_no_party_reaches_the_database_of_the_other(stack: Stack) -> None:
    reach = "import socket, sys; socket.create_connection((sys.argv[1], 5432), timeout=3)"
    stack.python("db-api", reach, "customer-db")
    stack.python("license-server", reach, "vendor-db")
    for service, database in (("db-api", "vendor-db"), ("license-server", "customer-db")):
        command = ("exec", "-T", service, "python3", "-c", reach, database)
        assert stack.compose(*command, check=False).returncode != 0


def test_a_database_speaks_tls_with_passwords_or_not_at_all(stack: Stack) -> None:
    connect = """
import asyncio, asyncpg, sys, pathlib
url = pathlib.Path("/run/secrets/api-url").read_text()
url = url.replace("sslmode=verify-full", "sslmode=" + sys.argv[1])
async def main():
    connection = await asyncpg.connect(url)
    print(await connection.fetchval("select ssl from pg_stat_ssl where pid = pg_backend_pid()"))
asyncio.run(main())
"""
    assert stack.python("db-api", connect, "verify-full") == "True"
    command = ("exec", "-T", "db-api", "python3", "-c", connect, "disable")
    assert "no encryption" in stack.compose(*command, check=False).stderr


def test_no_role_of_a_service_is_mighty(stack: Stack) -> None:
    mighty = (
        "select count(*) from pg_roles where rolname in ('db_api', 'license_server') and"
        " (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls)"
    )
    for service, database in (("vendor-db", "licenses"), ("customer-db", "app")):
        found = stack.execute(service, "psql", "-U", "postgres", "-d", database, "-Atc", mighty)
        assert found.strip() == "0"


@pytest.mark.parametrize("service", [*SERVICES, *DATABASES])
def test_no_secret_stands_in_the_environment_or_the_image(stack: Stack, service: str) -> None:
    secrets = {
        path.name: path.read_text().strip()
        for path in SECRETS.rglob("*")
        if path.is_file() and path.suffix in {"", ".key"}
    }
    shown = docker("inspect", stack.container(service))
    image = stack.inspect(service)["Image"]
    shown += docker("history", "--no-trunc", image) + docker("inspect", image)

    assert len(secrets) > 10
    assert [name for name, text in secrets.items() if text in shown] == []


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_holds_one_program_and_nothing_to_build_with(stack: Stack, service: str) -> None:
    search = """
import importlib.util, pathlib, shutil
modules = "license_server", "db_api", "license_client", "pytest", "trustme", "hatchling"
print([name for name in modules if importlib.util.find_spec(name)])
print([name for name in ("gcc", "cc", "make", "git", "curl", "wget") if shutil.which(name)])
print(any(pathlib.Path("/opt").rglob("*.key")), any(pathlib.Path("/opt").rglob("*.pyc")))
"""
    expected = {"license-server": ["license_server"], "db-api": ["db_api", "license_client"]}
    assert stack.python(service, search).splitlines() == [
        str(expected[service]),
        "[]",
        "False True",
    ]


def test_the_data_api_trusts_the_vendor_that_its_image_was_built_for(running: Running) -> None:
    run = ("run", "--rm", "--no-deps", "-T", "-e", "LICENSE_TRUST_FILE=/tmp/other.json", "db-api")
    done = running.stack.compose(*run, "serve", check=False)

    assert done.returncode != 0
    assert "LICENSE_TRUST_FILE" in done.stderr


def test_a_service_that_is_told_to_stop_stops_at_once(stack: Stack) -> None:
    for service in SERVICES:
        stack.compose("stop", "--timeout", "20", service)
        assert stack.inspect(service)["State"]["ExitCode"] == 0
    stack.compose("up", "--wait")
