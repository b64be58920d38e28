"""The live schema cache: one snapshot for every request, replaced as a whole.

Requests go on with the old snapshot while a new one is read. A name that is not in it asks for
a newer one, at most once a second, so that a client that invents names does not keep the
database busy.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from db_api.catalog.model import Table
from db_api.catalog.snapshot import SchemaCache

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
        self._begun_at = float("-inf")
        self._reading: asyncio.Task[SchemaCache] | None = None

    @property
    def rest_seconds(self) -> float:
        """How long nobody should ask for a newer snapshot without a need; 0 when it may be now."""
        age_seconds = self._monotonic_seconds() - self._begun_at
        return max(0.0, MISS_INTERVAL_SECONDS - age_seconds)

    async def snapshot(self) -> SchemaCache:
        """Return the snapshot in use, reading the first one."""
        return self._snapshot or await self._read_once()

    async def reload(self) -> SchemaCache:
        """Read a snapshot that shows all that was committed before this call."""
        if self._reading is not None:  # it may have begun before that
            await asyncio.wait([self._reading])
        return await self._read_once()

    async def reload_after_miss(self) -> SchemaCache:
        """Read a newer snapshot, unless one was begun within the last second."""
        is_new = self._reading is None and self.rest_seconds > 0
        if self._snapshot is not None and is_new:
            return self._snapshot
        return await self._read_once()

    async def close(self) -> None:
        """End the reading that is under way, if one is."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

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

    async def _read_once(self) -> SchemaCache:
        """Read a snapshot, or join whoever reads one; all who wait share its fate."""
        if self._reading is None:
            self._begun_at = self._monotonic_seconds()
            self._reading = asyncio.create_task(self._replace())
        return await asyncio.shield(self._reading)

    async def _replace(self) -> SchemaCache:
        try:
            self._snapshot = await self._read()
        finally:
            self._reading = None
        return self._snapshot
