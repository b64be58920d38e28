"""The fixtures of the end-to-end tests, for tests that also need Debian's packages."""

from pathlib import Path

import pytest
import trustme

from e2e.conftest import customer, database, license_server, new_customer, vendor
from support.client_machine import Machine
from support.faulted_programs import machine_of_today

__all__ = ["customer", "database", "license_server", "new_customer", "vendor"]


@pytest.fixture(scope="session")
def libfaketime() -> Path:
    """Find the library that shows programs another clock."""
    found = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    assert found is not None, "libfaketime is not installed: run `make test-system`"
    return found


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def machine(authority: trustme.CA, tmp_path: Path) -> Machine:
    """Make a machine of a customer, with no license activated and nothing else on it."""
    return machine_of_today(authority, tmp_path)
