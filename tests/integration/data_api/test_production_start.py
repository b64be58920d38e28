"""What a start in production refuses, as real processes."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from support.commands import run_command
from support.licensed import LicensedMachine
from support.logins import MODEST, as_login, new_login
from support.management import PASSWORD, USER, execute, service_environment
from support.servers import BIN, RunningServer, running
from support.tcp_forwarder import forwarding, free_port, through

WEAK = {
    "AUTH_PASS": "admin",
    "HOST": "0.0.0.0",
    "DATABASE_URL": "postgresql://api:hunter2@db.example.com/shop",
    "LICENSE_ENCRYPTION_KEY": "a" * 64,
}


def production(database_url: str, machine: LicensedMachine, **settings: str) -> dict[str, str]:
    """Write the environment of a service in production: its cache has another key than tests'."""
    return service_environment(database_url, machine, APP_ENV="production", **settings)


@pytest.fixture
def machine(machine: LicensedMachine) -> LicensedMachine:
    """Seal the cache with a key that is no pattern."""
    machine.encryption_key = "8e1f0b94c7d25a63f0e9b81d24c6a735019be8d7f2643ac5b07d1e9f8a63c254"
    (machine.folder / "license.json").unlink()
    machine.learn()
    return machine


def test_every_weakness_is_named_at_once(machine: LicensedMachine) -> None:
    done = run_command("db-api", "serve", env={**production("", machine), **WEAK})

    named = {line.partition(":")[0] for line in done.stderr.splitlines()}
    assert done.returncode == 6
    assert named == set(WEAK)
    assert "hunter2" not in done.stderr
    assert "a" * 64 not in done.stderr


@pytest.mark.parametrize(
    ("options", "statement", "said"),
    [
        ("SUPERUSER", "SELECT 1", "is a superuser"),
        ("BYPASSRLS", "SELECT 1", "bypasses row level security"),
        ("REPLICATION", "SELECT 1", "may replicate"),
        ("", "ALTER DATABASE {database} OWNER TO {login}", "owns the database"),
        ("", "GRANT pg_read_server_files TO {login}", "is a member of pg_read_server_files"),
        ("", "GRANT pg_write_server_files TO {login}", "is a member of pg_write_server_files"),
        ("", "GRANT pg_execute_server_program TO {login}", "pg_execute_server_program"),
    ],
)
def test_a_login_that_may_do_too_much_is_refused(
    database_url: str, machine: LicensedMachine, options: str, statement: str, said: str
) -> None:
    reading = (
        "GRANT USAGE ON SCHEMA db_api TO {login}",
        "GRANT SELECT ON ALL TABLES IN SCHEMA db_api TO {login}",
    )
    with new_login(database_url, options, *reading, statement) as url:
        done = run_command("db-api", "serve", env=production(url, machine))

    assert done.returncode == 6
    last = done.stderr.splitlines()[-1]
    assert last.startswith("DATABASE_URL: its login")
    assert said in last
    assert "CREATE ROLE" in last


def test_a_login_of_its_own_migrates_and_serves(
    new_database: Callable[..., str], machine: LicensedMachine
) -> None:
    with new_login(new_database(), "", MODEST) as url:
        environment = production(url, machine)
        assert run_command("db-api", "migrate", env=environment).returncode == 0
        with running(BIN / "db-api", "serve", env=environment) as server:
            ready = httpx.get(f"{server.url}/api/health/ready")
            schemas = httpx.get(f"{server.url}/api/schemas", auth=(USER, PASSWORD))
            server.stop()

    assert (ready.status_code, schemas.status_code) == (200, 200)


def test_a_login_that_is_found_out_later_ends_the_service(
    database_url: str, machine: LicensedMachine
) -> None:
    port = free_port()
    url = through(database_url, port)
    server = RunningServer((BIN / "db-api", "serve"), production(url, machine))
    try:
        server.wait_until_up()
        with forwarding(database_url, port):
            status = server.wait()
    finally:
        server.close()

    assert status == 6
    assert server.events("config.insecure", level="error")
    assert server.log.splitlines()[-1].startswith("DATABASE_URL: its login 'postgres' is a super")


def test_development_takes_the_superuser_of_a_database_that_is_tried_out(
    database_url: str, machine: LicensedMachine
) -> None:
    asyncio.run(execute(database_url, "SELECT 1"))
    assert as_login(database_url, "postgres") == database_url
    environment = service_environment(database_url, machine)
    with running(BIN / "db-api", "serve", env=environment) as server:
        assert httpx.get(f"{server.url}/api/health/ready").status_code == 200


def test_a_secret_file_that_others_may_read_is_warned_of(
    database_url: str, machine: LicensedMachine
) -> None:
    file = machine.folder / "auth_pass"
    file.write_text(f"{PASSWORD}\n")
    file.chmod(0o644)
    environment = service_environment(database_url, machine, AUTH_PASS="", AUTH_PASS_FILE=str(file))
    with running(BIN / "db-api", "serve", env=environment) as server:
        warned = server.events("config.insecure", id="A003")

    assert "AUTH_PASS_FILE" in warned[0]["reason"]
    assert "chmod 600" in warned[0]["remedy"]
