"""An upgrade with a migration, and a backup that is restored."""

from pathlib import Path

import pytest

from e2e.compose.conftest import BOOKS, PRODUCT, Running, activate
from license_server.repository.schema import known_revisions
from support.compose import Stack, docker

pytestmark = pytest.mark.timeout(300)

BEFORE, NEWEST = known_revisions()[-2:]
PREVIOUS = f"""
FROM license-server:latest
USER root
RUN cd /opt/license-server/lib/python3*/site-packages/license_server/migrations/versions && \\
    rm {NEWEST}_*.py
USER app
"""


def revision(stack: Stack) -> str:
    command = ("psql", "-U", "postgres", "-d", "licenses", "-Atc")
    return stack.execute("vendor-db", *command, "select version_num from alembic_version").strip()


def test_an_upgrade_migrates_the_database_and_keeps_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(PREVIOUS)
    docker("build", "-q", "-t", "license-server:previous", str(tmp_path))
    stack = Stack(
        "licensed-upgrade",
        "compose.vendor.yaml",
        LICENSE_PORT="13004",
        LICENSE_CONSOLE_PORT="13006",
    )
    try:
        stack.compose("up", "--wait", "vendor-db")
        migrate = ("run", "--rm", "-T", "license-migrate", "migrate")
        stack.compose(*migrate, LICENSE_SERVER_TAG="previous")
        assert revision(stack) == BEFORE
        grant = "grant select on alembic_version to license_server"
        stack.execute("vendor-db", "psql", "-q", "-U", "postgres", "-d", "licenses", "-c", grant)
        early = ("run", "--rm", "--no-deps", "-T", "license-server")
        refused = stack.compose(*early, check=False)
        assert refused.returncode != 0
        assert BEFORE in refused.stderr
        assert NEWEST in refused.stderr

        stack.compose("up", "--wait")
        assert revision(stack) == NEWEST
        stack.execute("license-server", *PRODUCT)
    finally:
        stack.compose("down", "--volumes", "--timeout", "5")


def test_a_backup_restores_what_was_sold(running: Running) -> None:
    stack = running.stack
    as_postgres = ("-U", "postgres", "-d", "licenses")
    dump = stack.execute("vendor-db", "pg_dump", *as_postgres, "--clean", "--if-exists")
    stack.compose("stop", "license-server")
    drop = "drop schema public cascade; create schema public; grant all on schema public to public"
    stack.execute("vendor-db", "psql", "-q", *as_postgres, "-c", drop)
    lost = stack.compose("up", "--wait", "--no-deps", "license-server", check=False)
    assert lost.returncode != 0  # it does not serve an empty database

    restore = ("psql", "-q", "-v", "ON_ERROR_STOP=1", "-1", *as_postgres)
    stack.execute("vendor-db", *restore, stdin=dump.encode())
    stack.compose("up", "--wait")

    activate(stack, running.license)
    running.api.until(BOOKS, running.headers)
    server = ("license-server", "license-server")
    assert running.license["id"] in stack.execute(*server, "license", "list", "--json")
    stack.execute(*server, "audit", "verify")
