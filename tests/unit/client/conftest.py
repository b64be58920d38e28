"""What most tests of the client start from: a license that was sold, and a machine for it."""

from pathlib import Path

import pytest

from license_client.testing.clock import FixedClock
from license_client.testing.simulator import License, Simulator
from support.client_machine import Machine, machine_of


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def server(clock: FixedClock) -> Simulator:
    return Simulator(clock)


@pytest.fixture
def license_(server: Simulator) -> License:
    return server.sell()


@pytest.fixture
def machine(license_: License, server: Simulator, tmp_path: Path) -> Machine:
    return machine_of(license_, server, tmp_path / "license-data")


@pytest.fixture
def trust(server: Simulator) -> bytes:
    """The trust.json of the vendor."""
    return server.vendor.trust
