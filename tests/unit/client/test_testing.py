"""The fixture for programs that use the SDK, in tests as their authors would write them."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from license_client import AsyncLicenseClient, LicenseWatch, State, require_license
from license_client.testing import LicenseVendor
from license_client.testing.vendor import Vendor

BUILT_IN = Vendor(issuer="ls_fedcba9876543210").trust


def main() -> LicenseWatch:
    """Be a program with its vendor's trust built in."""
    return require_license(product="my-program", trust=BUILT_IN)


def test_a_license_that_was_sold_starts_the_program(license_vendor: LicenseVendor) -> None:
    license_vendor.grant("sso", seats=5)
    status = main().status
    assert (status.state, status.days_left, status.limit("seats")) == (State.ACTIVE, None, 5)
    assert status.has_entitlement("sso")


@pytest.mark.parametrize("withdraw", ["revoke", "suspend", "expire"])
def test_a_license_that_is_withdrawn_ends_it(license_vendor: LicenseVendor, withdraw: str) -> None:
    getattr(license_vendor, withdraw)()
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 78


def test_a_program_goes_on_offline_until_grace_is_over(license_vendor: LicenseVendor) -> None:
    main()
    license_vendor.go_offline()
    license_vendor.advance(days=2)
    assert main().status.state is State.GRACE_OFFLINE
    license_vendor.advance(days=13)
    with pytest.raises(SystemExit):
        main()
    license_vendor.come_back()
    assert main().status.state is State.ACTIVE


def test_a_running_program_learns_of_a_change_when_it_refreshes(
    license_vendor: LicenseVendor,
) -> None:
    license = main()  # noqa: A001 - as the README has it
    license_vendor.revoke()
    license_vendor.advance(hours=7)
    assert license.look().state is State.REVOKED


def test_a_trial_ends_and_a_purchase_opens(license_vendor: LicenseVendor) -> None:
    license_vendor.start_trial(days=14)
    assert main().status.days_left == 14
    license_vendor.advance(days=14)
    license_vendor.expire()
    with pytest.raises(SystemExit):
        main()
    license_vendor.renew(days=365)
    status = main().status
    assert status.expires_at is not None
    assert status.last_verified_at is not None
    assert status.expires_at - status.last_verified_at == timedelta(days=365)


def test_a_renewal_that_is_late_shows_as_grace(license_vendor: LicenseVendor) -> None:
    license_vendor.renew(days=1)
    main()
    license_vendor.advance(days=2)
    assert main().status.state is State.GRACE_RENEWAL


@pytest.mark.anyio
async def test_an_asyncio_program_without_built_in_trust_meets_it_too(
    license_vendor: LicenseVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LICENSE_TRUST_FILE", str(license_vendor.trust_file))
    client = AsyncLicenseClient.from_env(product="my-program")
    assert (await client.start()).usable


def test_nothing_of_it_is_loaded_by_a_program_or_by_a_run_that_does_not_ask(
    tmp_path: Path,
) -> None:
    test = tmp_path / "test_other.py"
    test.write_text(
        "import sys\n"
        "def test_it():\n"
        "    assert 'license_client.pytest_plugin' in sys.modules\n"
        "    assert 'license_client.testing.simulator' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
