"""What `tests/integration` shows of login roles on PostgreSQL 18, on Debian's 15."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.data_api.test_provisioning import *  # noqa: F403 - its tests are run again
from integration.data_api.test_schema_provisioning import create_office
from support.licensed import LicensedMachine, simulator_of_today
from support.postgres import Cluster, debian_cluster
from support.provisioned import Customer, asking_for_passwords


@pytest.fixture(scope="module")  # type: ignore[no-redef] # takes the place of the imported one
def server() -> Iterator[Cluster]:
    """Run Debian's PostgreSQL 15 in the place of the wheel's."""
    with debian_cluster(15) as cluster, asking_for_passwords(cluster) as prepared:
        yield prepared


def test_no_serving_process_makes_roles_before_16(customer: Customer, tmp_path: Path) -> None:
    licensed = LicensedMachine(tmp_path, simulator_of_today())
    licensed.learn()
    assert asyncio.run(create_office(customer.url, licensed)) is False
