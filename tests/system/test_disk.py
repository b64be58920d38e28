"""Faults of the disk at the worst moments, injected into the system calls of a real process."""

import shutil
from collections.abc import Callable

import pytest

from support.customer import Customer


@pytest.fixture
def refresh_under(customer: Customer) -> Callable[[str], int]:
    """Run `license-client refresh` with a fault in its system calls; return how it ended."""
    strace = shutil.which("strace")
    assert strace is not None, "strace is not installed: run `make test-system`"

    def run(fault: str) -> int:
        tracer = (strace, "-f", "-qq", "-o", "/dev/null", "-e", f"inject={fault}")
        return customer.run("license-client", "refresh", "--json", under=tracer).returncode

    return run


def test_a_failing_disk_costs_a_warning_and_no_license(
    customer: Customer, refresh_under: Callable[[str], int]
) -> None:
    before = customer.cache.read_bytes()
    assert refresh_under("fsync,fdatasync:error=EIO") == 0
    assert customer.cache.read_bytes() == before
    assert customer.status()["usable"] is True


@pytest.mark.parametrize("call", ["fsync", "rename,renameat,renameat2"])
def test_a_kill_in_the_middle_of_a_write_leaves_the_old_state_or_the_new(
    customer: Customer, refresh_under: Callable[[str], int], call: str
) -> None:
    before = customer.cache.read_bytes()
    assert refresh_under(f"{call}:signal=SIGKILL") != 0
    assert customer.cache.read_bytes() == before
    assert customer.status()["usable"] is True
    assert customer.run("license-client", "refresh", "--json").returncode == 0
    assert customer.cache.read_bytes() != before
    files = {file.name for file in customer.folder.iterdir()}
    assert files == {"license.json", "license.lock", "license.refresh.lock"}
