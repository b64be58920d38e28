"""What every test run needs: the installed packages, and no stand-in for them."""

import importlib.util
import os
import uuid
from collections.abc import Callable, Iterator

import hypothesis
import pytest

from support.postgres import SharedPostgres

# A deadline is an assertion on the time of a machine that does other things too.
hypothesis.settings.register_profile("no-deadline", deadline=None)
hypothesis.settings.load_profile("no-deadline")

PACKAGES = ("license_client", "license_server", "db_api")


def pytest_configure() -> None:
    """Refuse to run against the empty namespace packages that the root folders make."""
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is None:
            raise pytest.UsageError(f"{name} is not installed here: run `make install` first")


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio, as the servers do."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedPostgres]:
    """Share the run's one PostgreSQL cluster."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "postgres"
    folder.mkdir(exist_ok=True)
    shared = SharedPostgres(folder)
    yield shared
    shared.close()


@pytest.fixture
def new_database(postgres: SharedPostgres) -> Iterator[Callable[..., str]]:
    """Make databases for one test: `new_database(template=…)` returns a superuser's URL."""
    names: list[str] = []

    def create(template: str = "template0") -> str:
        name = f"test_{uuid.uuid4().hex[:12]}"
        names.append(name)
        return postgres.create(name, template)

    yield create
    for name in names:
        postgres.drop(name)
