"""`/api/schema-cache`: what changed outside is seen at once, in every process."""

from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import JSONResponse

from db_api.catalog import SchemaCache
from db_api.control.announcements import announce_schema_change
from db_api.control.database import transaction
from db_api.routes.endpoints import Access, Endpoint, Identity
from db_api.routes.rendering import answer
from db_api.schemas import is_protected


class SchemaCacheRoutes:
    """Answers about the schema cache.

    Args:
        reload_catalog: reads what is committed now.
        control: sends word to the other processes.
    """

    def __init__(
        self, reload_catalog: Callable[[], Awaitable[SchemaCache]], control: AsyncEngine
    ) -> None:
        self._reload_catalog = reload_catalog
        self._control = control

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return the entries of this module."""
        return (Endpoint("POST", "/api/schema-cache/reload", Access.ADMIN, self._reload),)

    async def _reload(self, _request: Request, _identity: Identity) -> JSONResponse:
        snapshot = await self._reload_catalog()
        async with transaction(self._control) as connection:
            await announce_schema_change(connection)
        schemas = [name for name in snapshot.by_schema if not is_protected(name)]
        tables = sum(len(snapshot.tables(name)) for name in schemas)
        return answer({"schemas": len(schemas), "tables": tables}, "Schema cache reloaded")
