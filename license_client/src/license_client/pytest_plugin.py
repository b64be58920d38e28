"""The fixture `license_vendor`, which pytest finds by itself where this package is installed."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # a run that does not ask for the fixture does not load it
    from license_client.testing import LicenseVendor


@pytest.fixture
def license_vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "LicenseVendor":
    """Have clients made in this test meet a vendor in memory, who has sold them a license.

    The environment holds what a customer sets. A program that has no trust.json built in needs
    `LICENSE_TRUST_FILE` as well: `str(license_vendor.trust_file)`.
    """
    from license_client.testing import LicenseVendor  # noqa: PLC0415 - the reason is above

    vendor = LicenseVendor(tmp_path / "license-vendor")
    for name in [name for name in os.environ if name.startswith("LICENSE_")]:  # noqa: TID251 - a test's own environment
        monkeypatch.delenv(name)
    for name, value in vendor.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("license_client.client.connect", vendor.connect)
    return vendor
