"""Both HTTP APIs of a real server keep to their OpenAPI documents: a short run of `make fuzz`."""

from collections.abc import Iterator

import pytest

from fuzz.running import ADMIN, PUBLIC, Target, fuzz, served
from support.postgres import SharedPostgres

BOUNDS = ("--seed", "1", "--phases", "fuzzing", "--max-examples", "2")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, postgres: SharedPostgres) -> Iterator[Target]:
    """A server with something in it."""
    with served(tmp_path_factory.mktemp("fuzz") / "vendor", postgres.create("fuzz")) as served_:
        yield served_
    postgres.drop("fuzz")


@pytest.mark.parametrize("listener", [PUBLIC, ADMIN])
def test_an_api_does_what_its_document_says(target: Target, listener: str) -> None:
    done = fuzz(target, listener, *BOUNDS)
    assert done.returncode == 0, done.stdout
