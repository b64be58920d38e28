"""A machine with a license: the environment of programs that start on it, offline for good."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from support.client_machine import Machine, machine_of
from support.clock import FixedClock
from support.simulator import License, Simulator

DATA_API = "db-api"


@dataclass
class LicensedMachine:
    """Where programs find a usable cache and no license server.

    Attributes:
        folder: its cache, in `license.json`, and its trust.json.
    """

    folder: Path
    simulator: Simulator = field(default_factory=lambda: Simulator(FixedClock(int(time.time()))))

    def __post_init__(self) -> None:
        self._license = self.simulator.sell(product=DATA_API)
        (self.folder / "trust.json").write_bytes(self.simulator.vendor.trust)
        self._machine().start(product=DATA_API).activate()

    @property
    def environment(self) -> dict[str, str]:
        """What programs are started with."""
        return {
            "LICENSE_KEY": self._license.key,
            "LICENSE_EMAIL": self._license.email,
            "LICENSE_ENCRYPTION_KEY": "0123456789abcdef" * 4,
            "LICENSE_CACHE_DIR": str(self.folder),
            "LICENSE_TRUST_FILE": str(self.folder / "trust.json"),
        }

    def decide(self, code: str) -> License:
        """Have the vendor decide anew, and another program on the machine learn of it."""
        self._license = self.simulator.change(self._license, code=code)
        self._machine().start(product=DATA_API).validate()
        return self._license

    def _machine(self) -> Machine:
        return machine_of(self._license, self.simulator, self.folder)
