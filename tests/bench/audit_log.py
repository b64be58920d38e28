"""How many entries a second the audit log takes, within one transaction and with one each."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from license_server.repository.database import Database
from license_server.repository.migration import upgrade
from support.licensed_vendor import Vendor
from support.postgres import SharedPostgres

ROUNDS: Final = 9
TOGETHER: Final = 5_000
EACH: Final = 100


def measure(folder: Path, postgres: SharedPostgres) -> list[str]:
    """Append on both databases and say how it went."""
    return [
        line
        for name, url in (
            ("SQLite", f"sqlite:///{folder / 'audit.db'}"),
            ("PostgreSQL", postgres.create("audit")),
        )
        for line in asyncio.run(_measure(name, Database.from_url(url)))
    ]


async def _measure(name: str, database: Database) -> list[str]:
    database.create_missing_file()
    await upgrade(database)
    async with Vendor.opened(database) as vendor:
        together = await _rates(lambda: _append_together(vendor), TOGETHER)
        each = await _rates(lambda: _append_each(vendor), EACH)
    return [
        f"audit append, one transaction, {name}: {together}",
        f"audit append, a transaction each, {name}: {each}",
    ]


async def _rates(work: Callable[[], Awaitable[None]], entries: int) -> str:
    rates = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        await work()
        rates.append(entries / (time.perf_counter() - started))
    return (
        f"median {statistics.median(rates):,.0f} entries/s, "
        f"spread {min(rates):,.0f}-{max(rates):,.0f}"
    )


async def _append_together(vendor: Vendor) -> None:
    async with vendor.desk(datetime.now(UTC)) as desk:
        changes = [
            desk.change("bench.append", str(n), None, {"standing": "active", "number": n})
            for n in range(TOGETHER)
        ]
        await desk.transaction.audit.append(changes, desk.now)


async def _append_each(vendor: Vendor) -> None:
    for n in range(EACH):
        async with vendor.desk(datetime.now(UTC)) as desk:
            await desk.record("bench.append", str(n), None, {"standing": "active", "number": n})
