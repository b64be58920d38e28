"""`/api/tables`: what a schema holds, for its keys and for the administrator."""

from starlette.requests import Request
from starlette.responses import JSONResponse

from db_api.callers import Caller
from db_api.catalog import Catalog, Table
from db_api.errors import AccessDeniedError, NotFoundError
from db_api.routes.endpoints import Access, Endpoint, Identity
from db_api.routes.rendering import Json, answer
from db_api.schemas import is_protected, require_open

_TABLES = "/api/schemas/{schema}/tables"


class TableRoutes:
    """Answers about tables, from the schema cache."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return the entries of this module."""
        return (
            Endpoint("GET", "/api/tables", Access.KEY_OR_ADMIN, self._list),
            Endpoint("GET", _TABLES, Access.KEY_OR_ADMIN, self._list_schema),
            Endpoint("GET", f"{_TABLES}/{{table}}", Access.KEY_OR_ADMIN, self._show),
        )

    async def _list(self, request: Request, identity: Identity) -> JSONResponse:
        schema = request.query_params.get("schema")
        if schema is None and isinstance(identity, Caller):
            schema = identity.schema
        if schema is not None:
            return await self._answer_schema(schema, identity)
        snapshot = await self._catalog.snapshot()
        tables = [
            table
            for name in snapshot.by_schema
            if not is_protected(name)
            for table in snapshot.tables(name)
        ]
        return _answer_list(tables)

    async def _list_schema(self, request: Request, identity: Identity) -> JSONResponse:
        return await self._answer_schema(request.path_params["schema"], identity)

    async def _show(self, request: Request, identity: Identity) -> JSONResponse:
        schema, name = request.path_params["schema"], request.path_params["table"]
        _require_visible(schema, identity)
        _, table = await self._catalog.find(schema, name)
        if table is None:
            raise NotFoundError(f"Schema {schema!r} has no table {name!r}.")
        return answer(_shown(table), "Table found")

    async def _answer_schema(self, schema: str, identity: Identity) -> JSONResponse:
        _require_visible(schema, identity)
        return _answer_list(list(await self._catalog.tables(schema)))


def _require_visible(schema: str, identity: Identity) -> None:
    require_open(schema)
    if isinstance(identity, Caller) and identity.schema != schema:
        raise AccessDeniedError(
            f"This API key is for schema {identity.schema!r} alone.",
            hint="Use a key of the other schema, or leave the schema out.",
        )


def _answer_list(tables: list[Table]) -> JSONResponse:
    return answer([_shown(table) for table in tables], f"{len(tables)} tables")


def _shown(table: Table) -> dict[str, Json]:
    return {
        "schema": table.schema,
        "name": table.name,
        "kind": table.kind,
        "comment": table.comment,
        "rowEstimate": table.row_estimate,
        "columns": [
            {
                "name": column.name,
                "type": column.declared_type,
                "nullable": column.nullable,
                "default": column.default,
                "generated": column.is_generated,
                "comment": column.comment,
            }
            for column in table.columns.values()
        ],
        "primaryKey": list(table.primary_key),
        "uniques": [
            {"name": unique.name, "columns": list(unique.columns)} for unique in table.uniques
        ],
        "foreignKeys": [
            {
                "name": key.name,
                "columns": list(key.columns),
                "referencedSchema": key.referenced_schema,
                "referencedTable": key.referenced_table,
                "referencedColumns": list(key.referenced_columns),
            }
            for key in table.foreign_keys
        ],
        "indexes": [
            {"name": index.name, "unique": index.is_unique, "definition": index.definition}
            for index in table.indexes
        ],
    }
