"""The live schema cache: one snapshot for every request, replaced as a whole.

Requests go on with the old snapshot while a new one is read. A name that is not in it asks for
a newer one, at most once a second, so that a client that invents names does not keep the
database busy.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from db_api.catalog.model import SchemaCache, Table

MISS_INTERVAL_SECONDS: Final = 1.0


class Catalog:
    """The schema cache of one database.

    Args:
        read: reads a snapshot; whatever it raises reaches the caller who needed the snapshot.
        monotonic_seconds: a clock that never goes back.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[SchemaCache]],
        monotonic_seconds: Callable[[], float],
    ) -> None:
        self._read = read
        self._monotonic_seconds = monotonic_seconds
        self._snapshot: SchemaCache | None = None
        self._started_at = float("-inf")
        self._lock = asyncio.Lock()

    @property
    def is_loaded(self) -> bool:
        """Tell whether a snapshot was ever read."""
        return self._snapshot is not None

    async def snapshot(self) -> SchemaCache:
        """Return the snapshot in use, reading the first one."""
        return self._snapshot or await self._read_after(float("-inf"))

    async def reload(self) -> SchemaCache:
        """Read a snapshot that shows all that was committed before this call."""
        return await self._read_after(self._monotonic_seconds())

    async def reload_after_miss(self) -> SchemaCache:
        """Read a newer snapshot, unless one was begun within the last second."""
        return await self._read_after(self._monotonic_seconds() - MISS_INTERVAL_SECONDS)

    async def tables(self, schema: str) -> tuple[Table, ...]:
        """List the tables of a schema in alphabetical order; none for an unknown schema."""
        return (await self.snapshot()).tables(schema)

    async def find(self, schema: str, table: str) -> tuple[SchemaCache, Table | None]:
        """Find a table, in a newer snapshot if this one lacks it.

        Returns:
            The snapshot that was searched last, and the table or None.
        """
        snapshot = await self.snapshot()
        found = snapshot.table(schema, table)
        if found is None:
            snapshot = await self.reload_after_miss()
            found = snapshot.table(schema, table)
        return snapshot, found

    async def _read_after(self, moment: float) -> SchemaCache:
        """Return a snapshot that was begun at `moment` or later."""
        async with self._lock:
            if self._snapshot is None or self._started_at < moment:
                self._started_at = self._monotonic_seconds()
                self._snapshot = await self._read()
            return self._snapshot
