"""Bringing databases to the schema of the program: at once, again, and from a newer program."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from license_server.errors import ConfigurationError
from license_server.repository.database import Database
from license_server.repository.migration import _upgrade_by_one, upgrade
from license_server.repository.schema import (
    MIGRATIONS,
    _revision_of,
    known_revisions,
    require_current,
    require_unused,
)
from license_server.repository.tables import metadata

pytestmark = pytest.mark.anyio

MIGRATE = """
import asyncio, sys
from license_server.repository.database import Database
from license_server.repository.migration import _upgrade_by_one, upgrade
print(asyncio.run(upgrade(Database.from_url(sys.argv[1]))))
"""

PAUSE = """
CREATE FUNCTION pause() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE done int := coalesce(nullif(current_setting('test.done', true), ''), '0')::int + 1;
BEGIN
    PERFORM set_config('test.done', done::text, true);
    IF done = {commands} THEN
        PERFORM pg_sleep(300);
    END IF;
END $$;
CREATE EVENT TRIGGER pause ON ddl_command_end EXECUTE FUNCTION pause();
"""
"""Puts a transaction to sleep after so many commands that change the schema."""
SLEEPER = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND wait_event = 'PgSleep'"""
COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable, column_default
FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(
    request: pytest.FixtureRequest, tmp_path: Path, new_database: Callable[..., str]
) -> str:
    if request.param == "postgresql":
        return new_database()
    path = tmp_path / "empty.db"
    Database.of_file(path).create_missing_file()
    return f"sqlite:///{path}"


@pytest.fixture
def two_empty(new_database: Callable[..., str]) -> tuple[str, str]:
    """Two databases of PostgreSQL."""
    return new_database(), new_database()


def test_each_migration_stands_in_a_file_that_begins_with_its_revision() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    assert [script.revision for script in scripts] == known_revisions()[::-1]


async def test_an_empty_database_is_refused_with_what_to_do(empty_url: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        await require_current(Database.from_url(empty_url))
    assert "revision none" in str(refusal.value)
    assert known_revisions()[-1] in str(refusal.value)
    assert "license-server migrate" in str(refusal.value)


async def test_a_migration_may_be_repeated(empty_url: str) -> None:
    database = Database.from_url(empty_url)
    await require_unused(database)
    assert [await upgrade(database) for _ in range(2)] == [known_revisions()[-1]] * 2
    await require_current(database)
    with pytest.raises(ConfigurationError, match="belongs to a server"):
        await require_unused(database)


async def test_several_starters_migrate_at_once(empty_url: str) -> None:
    starters = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", MIGRATE, empty_url, stdout=-1, stderr=-1
        )
        for _ in range(4)
    ]
    outputs = [await starter.communicate() for starter in starters]
    assert [out.decode().strip() for out, _ in outputs] == [known_revisions()[-1]] * 4, outputs
    await require_current(Database.from_url(empty_url))


@pytest.mark.parametrize(("commands", "kept"), [(3, None), (30, "0001")])
async def test_a_migration_that_is_killed_leaves_whole_revisions_and_can_be_repeated(
    two_empty: tuple[str, str], commands: int, kept: str | None
) -> None:
    url, other = two_empty
    connection = await asyncpg.connect(url)
    await connection.execute(PAUSE.format(commands=commands))
    await kill_a_migrator_in_its_sleep(url, connection)

    assert await _revision_of(Database.from_url(url)) == kept
    assert await connection.fetch(COLUMNS) == await columns_at(other, kept)
    await connection.execute("DROP EVENT TRIGGER pause")
    await connection.close()
    assert await upgrade(Database.from_url(url)) == known_revisions()[-1]


async def kill_a_migrator_in_its_sleep(
    url: str, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    migrator = await asyncio.create_subprocess_exec(sys.executable, "-c", MIGRATE, url, stderr=-1)
    while (backend := await connection.fetchval(SLEEPER)) is None:
        assert migrator.returncode is None
    migrator.kill()
    await migrator.communicate()
    await connection.execute("SELECT pg_terminate_backend($1, 60000)", backend)


async def columns_at(url: str, revision: str | None) -> "list[asyncpg.Record]":
    """Return the columns of all tables of a revision, in an empty database brought there."""
    database = Database.from_url(url)
    while await _revision_of(database) != revision:
        async with database.engine().begin() as migrating:
            await migrating.run_sync(_upgrade_by_one)
    connection = await asyncpg.connect(url)
    columns = await connection.fetch(COLUMNS)
    await connection.close()
    return list(columns)


async def test_the_database_of_a_newer_program_is_left_alone(empty_url: str) -> None:
    database = Database.from_url(empty_url)
    await upgrade(database)
    async with database.engine().begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for check in (require_current, upgrade):
        with pytest.raises(ConfigurationError, match=f"9999.*{known_revisions()[-1]}.*newer"):
            await check(database)


# of SQLite, whose indexes of expressions nobody can read back
@pytest.mark.filterwarnings("ignore:.*expression-based index")
async def test_nothing_is_left_between_the_migrations_and_the_described_tables(
    empty_url: str,
) -> None:
    database = Database.from_url(empty_url)
    await upgrade(database)
    async with database.engine().connect() as connection:
        assert await connection.run_sync(differences) == []


def differences(connection: Connection) -> object:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return compare_metadata(context, metadata)


async def test_a_missing_file_is_not_made_by_looking_at_it(tmp_path: Path) -> None:
    path = tmp_path / "missing.db"
    with pytest.raises(ConfigurationError, match=r"license-server init"):
        await require_current(Database.of_file(path))
    assert not path.exists()


@pytest.mark.parametrize("url", ["", "mysql://x", "sqlite://", "sqlite:///", "postgresql"])
def test_a_url_of_another_kind_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        Database.from_url(url)


def test_a_database_shows_no_password() -> None:
    assert "hunter2" not in repr(Database.from_url("postgresql://u:hunter2@host/name"))
