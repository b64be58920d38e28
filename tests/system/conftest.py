"""The fixtures of the end-to-end tests, for tests that also need Debian's packages."""

from pathlib import Path

import pytest

from e2e.conftest import customer, database, license_server, new_customer, vendor

__all__ = ["customer", "database", "license_server", "new_customer", "vendor"]


@pytest.fixture(scope="session")
def libfaketime() -> Path:
    """Find the library that shows programs another clock."""
    found = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    assert found is not None, "libfaketime is not installed: run `make test-system`"
    return found
