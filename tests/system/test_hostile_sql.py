"""What `tests/integration` shows of hostile statements on PostgreSQL 18, on Debian's 15."""

from collections.abc import Iterator

import pytest

from integration.data_api.test_hostile_sql import *  # noqa: F403 - its tests are run again
from support.postgres import Cluster, debian_cluster
from support.provisioned import asking_for_passwords


@pytest.fixture(scope="module")  # type: ignore[no-redef] # takes the place of the imported one
def server() -> Iterator[Cluster]:
    """Run Debian's PostgreSQL 15 in the place of the wheel's."""
    with debian_cluster(15) as cluster, asking_for_passwords(cluster) as prepared:
        yield prepared
