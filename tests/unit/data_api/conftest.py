"""What several of the data API's unit tests start from."""

from pathlib import Path

import pytest

from support.licensed import LicensedMachine


@pytest.fixture
def customer(tmp_path: Path) -> LicensedMachine:
    """Make a machine with a license of its own."""
    return LicensedMachine(tmp_path)
