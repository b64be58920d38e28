"""Whether the data API's memory grows: 200,000 requests, in a process that may hold 256 MB."""

import asyncio
import resource
from itertools import chain
from pathlib import Path
from typing import Final

from bench import data_api
from bench.cpu import resident_megabytes
from bench.load import drive

EARLY: Final = 20_000
REQUESTS: Final = 200_000
GROWTH_AT_MOST: Final = 1.1
_LIMIT: Final = 256 * 1024 * 1024


def measure(folder: Path, database_url: str) -> str:
    """Ask for a row, a page and an insert in turn; compare the memory early and at the end."""
    with data_api.serving(folder, database_url) as targets:
        asked = targets[:3]
        requests = chain.from_iterable(zip(*(one.requests for one in asked), strict=False))
        pid, port = asked[0].pid, asked[0].port
        resource.prlimit(pid, resource.RLIMIT_DATA, (_LIMIT, _LIMIT))
        sizes = []
        for _ in range(REQUESTS // EARLY):
            asyncio.run(drive(port, requests, EARLY))
            sizes.append(resident_megabytes(pid))
    return (
        f"memory after {REQUESTS:,} requests: {sizes[-1]:.0f} MB,"
        f" {sizes[-1] / sizes[0]:.2f} of that after {EARLY:,}   aim <= {GROWTH_AT_MOST}"
    )
