"""A machine with a license of the data API, and a vendor in memory at the end of its network."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from db_api.license_gate import PRODUCT, LicenseGate
from db_api.owner_file import Owner, OwnerFile
from db_api.sealing import RootKeys
from license_client import AsyncLicenseClient
from license_client.testing.clock import FixedClock
from license_client.testing.simulator import Simulator
from support.client_machine import ENCRYPTION_KEY, machine_of


def simulator_of_today() -> Simulator:
    """Make a vendor whose decisions hold for programs that look at the real clock."""
    return Simulator(FixedClock(int(time.time())))


ONE_TRY = 0.9  # seconds of patience with a server that is not there


@dataclass
class LicensedMachine:
    """Where programs run that need a license; it has not been activated yet.

    Attributes:
        folder: of the cache and of trust.json.
        license: what its owner bought.
        encryption_key: seals the cache.
    """

    folder: Path
    simulator: Simulator = field(default_factory=lambda: Simulator(FixedClock()))
    encryption_key: str = ENCRYPTION_KEY

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.license = self.simulator.sell(product=PRODUCT)
        self.machine = machine_of(self.license, self.simulator, self.folder)
        self.trust_file = self.folder / "trust.json"
        self.trust_file.write_bytes(self.simulator.vendor.trust)

    @property
    def environment(self) -> dict[str, str]:
        """What programs of their own process are started with: offline for good."""
        return {
            "LICENSE_KEY": self.license.key,
            "LICENSE_EMAIL": self.license.email,
            "LICENSE_ENCRYPTION_KEY": self.encryption_key,
            "LICENSE_CACHE_DIR": str(self.folder),
            "LICENSE_TRUST_FILE": str(self.trust_file),
        }

    def learn(self, code: str = "VALID") -> None:
        """Have the vendor decide, and another program of the machine take that in."""
        self.license = self.simulator.change(self.license, code=code)
        program = {"product": PRODUCT, "encryption_key": self.encryption_key}
        self.machine.start(**program).validate()

    def new_gate(self) -> LicenseGate:
        """Make the gate of a program that starts now and reaches the vendor."""
        return LicenseGate(self.new_client, self.owners)

    @property
    def owners(self) -> OwnerFile:
        """The file of whose license was activated on this machine."""
        return OwnerFile(self.folder, RootKeys.parse(self.encryption_key))

    async def open_gate(self) -> LicenseGate:
        """Make that gate and let it try once to open."""
        gate = self.new_gate()
        await gate.open()
        return gate

    def new_client(self, owner: Owner | None) -> AsyncLicenseClient:
        """Make the SDK's client of an owner, None = of the license of this machine."""
        changes = {"license_key": owner.license_key, "email": owner.email} if owner else {}
        program = {"product": PRODUCT, "encryption_key": self.encryption_key}
        started = self.machine.start(**program, start_wait=ONE_TRY, **changes)
        return AsyncLicenseClient._over(started)
