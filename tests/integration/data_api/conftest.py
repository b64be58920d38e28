"""A customer's databases, with tables to serve or with the service's own, and a license."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from db_api.control.migrations import migrate
from support.library import make_library
from support.licensed import LicensedMachine, simulator_of_today
from support.postgres import SharedPostgres
from support.shop import make_shop


@pytest.fixture
def shop(postgres: SharedPostgres, new_database: Callable[..., str]) -> str:
    """Make a shop of this test's own, and return its URL."""
    return new_database(postgres.template("shop", make_shop))


@pytest.fixture(scope="module")
def shared_shop(postgres: SharedPostgres) -> Iterator[str]:
    """Make a shop for the tests of one module, which only read."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield postgres.create(name, postgres.template("shop", make_shop))
    postgres.drop(name)


@pytest.fixture(scope="module")
def library(postgres: SharedPostgres) -> Iterator[str]:
    """Make a library for the tests of one module, which only read."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield postgres.create(name, postgres.template("library", make_library))
    postgres.drop(name)


@pytest.fixture
def database_url(postgres: SharedPostgres, new_database: Callable[..., str]) -> str:
    """Make a database that holds the service's own tables, and return its URL."""
    template = postgres.template("data_api_control", lambda url: asyncio.run(migrate(url)))
    return new_database(template)


@pytest.fixture
def machine(tmp_path: Path) -> LicensedMachine:
    """Make a machine on which a license was activated today."""
    machine = LicensedMachine(tmp_path / "license", simulator_of_today())
    machine.learn()
    return machine
