"""What `tests/integration` shows of a few crashes of the database, for many of them."""

import pytest

from integration.data_api.test_database_faults import cluster, require_no_loss, served
from support.postgres import Cluster
from support.servers import RunningServer

__all__ = ["cluster", "served"]  # the fixtures

CRASHES = 50


@pytest.mark.timeout(600)  # each takes a second or a few
def test_fifty_crashes_lose_no_acknowledged_row(
    cluster: Cluster,
    served: tuple[RunningServer, str],
) -> None:
    require_no_loss(cluster, served, CRASHES)
