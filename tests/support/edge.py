"""Servers of the two HTTP edges, which are the same code in two packages."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from support.servers import RunningServer, running

PACKAGES = ("license_server", "db_api")
MODULES = ("forwarding", "http_guard", "logs", "middleware", "serving")
"""What is the same in both packages."""

CANARY = "hunter2"
"""A secret that the application behind the edge puts into its exceptions."""

_SCRIPT = Path(__file__).with_name("edge_server.py")


@contextmanager
def running_edge(
    package: str, deadline_seconds: float = 60, env: Mapping[str, str] | None = None
) -> Iterator[RunningServer]:
    """Start a server of `package`'s edge around an application that echoes and misbehaves."""
    command = (sys.executable, _SCRIPT, package, str(deadline_seconds))
    with running(*command, env={"CANARY": CANARY, **(env or {})}) as server:
        yield server
