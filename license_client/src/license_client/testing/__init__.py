"""Test a program that uses this SDK: a vendor in memory, a license, and a clock to turn.

def test_my_program_ends_when_its_license_is_revoked(license_vendor):
    license_vendor.revoke()
    with pytest.raises(SystemExit):
        my_program.main()

The fixture comes with the package, as a plugin of pytest. Beneath it are the parts: `Simulator`
answers as the license server does, `Vendor` has its keys.
"""

from pathlib import Path
from typing import Final

from license_client._core import Core
from license_client._keyset import load_anchor
from license_client._settings import Settings
from license_client._wiring import connect
from license_client.testing.clock import DAY, HOUR, FixedClock
from license_client.testing.simulator import License, Simulator, unreachable
from license_client.testing.vendor import Vendor

__all__ = ["FixedClock", "License", "LicenseVendor", "Simulator", "Vendor"]

_SERVER_URL: Final = "https://license.test"  # RFC 2606: nobody is there
_ENCRYPTION_KEY: Final = "0123456789abcdef" * 4


class LicenseVendor:
    """A vendor in memory, who has sold one license to the program under test.

    What the program learns, it learns as in real life: by asking. So a change shows when the
    license is refreshed, at the next start without a usable cache, or by `look` of a watch once a
    refresh is due.

    Args:
        folder: of the cache, and of `trust_file`.

    Attributes:
        clock: the time of this machine, for the client alone.
        simulator: answers as the license server does.
        trust_file: for a program that has no trust.json built in.
    """

    def __init__(self, folder: Path) -> None:
        self.clock = FixedClock()
        self.simulator = Simulator(self.clock)
        self.trust_file = folder / "trust.json"
        self._license = self.simulator.sell()
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.trust_file.write_bytes(self.simulator.vendor.trust)

    @property
    def environment(self) -> dict[str, str]:
        """What a customer sets."""
        return {
            "LICENSE_SERVER_URL": _SERVER_URL,
            "LICENSE_KEY": self._license.key,
            "LICENSE_EMAIL": self._license.email,
            "LICENSE_ENCRYPTION_KEY": _ENCRYPTION_KEY,
            "LICENSE_CACHE_DIR": str(self._folder / "license-data"),
            "LICENSE_START_WAIT": "0.9",  # less than until a second try
        }

    def connect(self, settings: Settings) -> Core:
        """Make the core of a client that meets this vendor, whatever trust was built into it."""
        self._change(product=settings.product)
        anchor = load_anchor(self.simulator.vendor.trust)
        return connect(settings._replace(anchor=anchor), clock=self.clock, inner=self.simulator)

    def revoke(self) -> None:
        """Withdraw the license for good."""
        self.deny("REVOKED")

    def suspend(self) -> None:
        """Withdraw the license until `renew`."""
        self.deny("SUSPENDED")

    def expire(self) -> None:
        """Let the license be over, its renewal grace too."""
        self.deny("TRIAL_EXPIRED" if self._license.kind == "trial" else "EXPIRED")

    def deny(self, code: str) -> None:
        """Answer with a signed no; `code` is one of the contract's."""
        self._change(code=code)

    def renew(self, days: int | None = None) -> None:
        """Answer yes: for so many days from now, or for ever."""
        self._change(code="VALID", kind="paid", expires=self._in(days))

    def start_trial(self, days: int = 14) -> None:
        """Make the license a trial that ends in so many days."""
        self._change(code="VALID", kind="trial", expires=self._in(days))

    def grant(self, *entitlements: str, **limits: int) -> None:
        """Say what the license includes, in the place of what it did."""
        self._change(entitlements=entitlements, limits=tuple(limits.items()))

    def go_offline(self) -> None:
        """Have nobody answer."""
        self.simulator.switch = unreachable

    def come_back(self) -> None:
        """Answer again."""
        self.simulator.switch = None

    def advance(self, *, days: int = 0, hours: int = 0) -> None:
        """Let time pass."""
        self.clock.advance(days * DAY + hours * HOUR)

    def _in(self, days: int | None) -> int | None:
        return None if days is None else self.clock.wall + days * DAY

    def _change(self, **terms: object) -> None:
        self._license = self.simulator.change(self._license, **terms)
