"""A license server that knows the time of this machine, for clients that use the real clock."""

import time
from pathlib import Path

import pytest
import trustme

from license_client.testing.clock import FixedClock
from license_client.testing.simulator import License, Simulator
from license_client.testing.vendor import Vendor
from support.client_commands import environment_of
from support.client_machine import Machine, machine_of


@pytest.fixture
def server() -> Simulator:
    now = int(time.time())
    return Simulator(FixedClock(now), Vendor(now=now))


@pytest.fixture
def license_(server: Simulator) -> License:
    return server.sell()


@pytest.fixture
def machine(license_: License, server: Simulator, tmp_path: Path) -> Machine:
    return machine_of(license_, server, tmp_path / "license-data")


@pytest.fixture
def environ(machine: Machine) -> dict[str, str]:
    """Settings of commands, without server, key and email."""
    return environment_of(machine)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path
