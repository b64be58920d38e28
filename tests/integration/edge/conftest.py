"""One server of each package's edge, shared by the tests that leave it as it was."""

from collections.abc import Iterator

import pytest

from support.edge import PACKAGES, running_edge
from support.servers import RunningServer


@pytest.fixture(scope="session", params=PACKAGES)
def package(request: pytest.FixtureRequest) -> str:
    """Name the package whose edge is tested."""
    return str(request.param)


@pytest.fixture(scope="session")
def edge(package: str) -> Iterator[RunningServer]:
    """Serve with deadlines that no test reaches."""
    with running_edge(package) as server:
        yield server


@pytest.fixture(scope="session")
def impatient(package: str) -> Iterator[RunningServer]:
    """Serve with deadlines of half a second."""
    with running_edge(package, 0.5) as server:
        yield server
