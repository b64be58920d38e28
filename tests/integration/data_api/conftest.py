"""A customer's database for the tests of the data side."""

import uuid
from collections.abc import Callable, Iterator

import pytest

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
