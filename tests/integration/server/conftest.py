"""The license server's database, once as a SQLite file and once on PostgreSQL."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from license_server.repository.database import Database
from license_server.repository.migration import upgrade
from support.licensed_vendor import Vendor
from support.postgres import SharedPostgres

TEMPLATE = "license_server"


def migrate(url: str) -> None:
    asyncio.run(upgrade(Database.from_url(url)))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file of the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("server") / "migrated.db"
    Database.of_file(path).create_missing_file()
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def on_postgres(postgres: SharedPostgres, new_database: Callable[..., str]) -> Database:
    """A migrated database of PostgreSQL."""
    return Database.from_url(new_database(template=postgres.template(TEMPLATE, migrate)))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, migrated_file: Path, tmp_path: Path) -> Database:
    """A migrated database of its own."""
    if request.param == "postgresql":
        on_postgres: Database = request.getfixturevalue("on_postgres")
        return on_postgres
    return Database.of_file(Path(shutil.copy(migrated_file, tmp_path / "license-server.db")))


@pytest.fixture
async def vendor(database: Database, anyio_backend: str) -> AsyncIterator[Vendor]:
    """A vendor's server over that database, with one product."""
    assert anyio_backend == "asyncio"
    async with Vendor.opened(database) as opened:
        yield opened
