"""A customer's machine: a folder, a clock, and programs that start on it."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from license_client import LicenseClient
from license_client._settings import Options, build_settings
from license_client._wiring import connect
from license_client.testing.clock import FixedClock
from license_client.testing.simulator import PRODUCT, License, Simulator

ENCRYPTION_KEY = "0123456789abcdef" * 4


@dataclass
class Machine:
    """Where programs with our client run.

    Attributes:
        simulator: what is at the other end of the network.
        options: what programs are started with.
        total_seconds: how long a call may take.
    """

    simulator: Simulator
    options: Options
    total_seconds: float = 5.0

    @property
    def clock(self) -> FixedClock:
        return self.simulator.clock

    @property
    def folder(self) -> Path:
        folder = self.options["cache_dir"]
        assert folder is not None
        return folder

    @property
    def cache(self) -> Path:
        return self.folder / "license.json"

    def start(self, **changes: object) -> LicenseClient:
        """Start a program: it knows what is on the disk and nothing else."""
        core = connect(
            build_settings(cast("Options", {**self.options, **changes})),
            clock=self.clock,
            inner=self.simulator,
            chance=lambda: 0.5,
            total_seconds=self.total_seconds,
        )
        return LicenseClient._over(core)


def machine_of(license_: License, simulator: Simulator, folder: Path) -> Machine:
    """Set up a machine for the owner of a license."""
    return Machine(
        simulator,
        {
            "product": PRODUCT,
            "trust": simulator.vendor.trust,
            "server_url": "https://license.example",
            "license_key": license_.key,
            "email": license_.email,
            "encryption_key": ENCRYPTION_KEY,
            "cache_dir": folder,
        },
    )
