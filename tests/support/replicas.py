"""A PostgreSQL and a replica that follows it, and what an engine of high availability does."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from support.postgres import SUPERUSER, Cluster, debian_binaries, empty_cluster


@contextmanager
def replicated(version: int, ports: tuple[int, int]) -> Iterator[tuple[Cluster, Cluster]]:
    """Run Debian's PostgreSQL of a version and a replica of it; a test may kill the first.

    Args:
        version: of Debian's package.
        ports: of loopback, which are free.
    """
    binaries = debian_binaries(version)
    with empty_cluster(binaries, ports[0]) as primary, empty_cluster(binaries, ports[1]) as replica:
        primary.make()
        primary.start()
        try:
            _copy(primary, replica)
            replica.start()
            try:
                yield primary, replica
            finally:
                replica.stop()
        finally:
            with suppress(ProcessLookupError):
                kill(primary)


def kill(cluster: Cluster) -> None:
    """End one by SIGKILL; what is left of it ends by itself."""
    file = cluster.folder / "data" / "postmaster.pid"
    os.kill(int(file.read_text().splitlines()[0]), signal.SIGKILL)


def promote(replica: Cluster) -> None:
    """Let a replica follow nobody any more, and wait until it takes writes."""
    replica.control("promote")


def _copy(primary: Cluster, replica: Cluster) -> None:
    way = f"host=127.0.0.1 port={primary.port} user={SUPERUSER}"
    data = str(replica.folder / "data")
    replica.run("pg_basebackup", "-R", "-c", "fast", "-X", "stream", "-D", data, "-d", way)
