"""Whether the service can answer data requests now, asked by load balancers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from db_api.errors import MigrationNeededError, NotReadyError

OK: Final = "ok"
_REMEMBERED_SECONDS: Final = 1.0  # anybody may ask: the database is asked once a second at most


@dataclass(frozen=True, slots=True)
class Probes:
    """What readiness looks at.

    Attributes:
        database: returns when the database answers and has our tables; else raises NotReadyError.
        schema_cache: tells whether it is loaded, and loads it.
        license_code: "ok" while the gate is open, else the license's code.
    """

    database: Callable[[], Awaitable[None]]
    schema_cache: Callable[[], Awaitable[bool]]
    license_code: Callable[[], str]


class Readiness:
    """The checks behind `/api/health/ready`.

    Args:
        probes: what is looked at.
        now: a monotonic clock in seconds.
    """

    def __init__(self, probes: Probes, now: Callable[[], float]) -> None:
        self._probes = probes
        self._now = now
        self._asking = asyncio.Lock()
        self._database = ""
        self._schema_cache = ""
        self._until = now()

    async def checks(self) -> Mapping[str, str]:
        """Return "ok" or a word of what is missing for each check."""
        async with self._asking:
            if self._now() >= self._until:
                self._database = await self._ask_database()
                self._schema_cache = await self._ask_schema_cache()
                self._until = self._now() + _REMEMBERED_SECONDS
        return {
            "database": self._database,
            "schemaCache": self._schema_cache,
            "license": self._probes.license_code(),
        }

    async def _ask_database(self) -> str:
        try:
            await self._probes.database()
        except MigrationNeededError:
            return "migration_needed"
        except NotReadyError:
            return "unreachable"
        return OK

    async def _ask_schema_cache(self) -> str:
        if self._database != OK:
            return "unknown"
        return OK if await self._probes.schema_cache() else "not_loaded"
