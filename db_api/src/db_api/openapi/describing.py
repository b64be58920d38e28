"""Describe to a caller what it may do: as its login, with the schema cache at hand."""

import json

import asyncpg

from db_api.callers import Caller
from db_api.catalog import Catalog
from db_api.connections import Connection
from db_api.execution import Database, Terms
from db_api.openapi.document import make_document
from db_api.openapi.privileges import Privileges, read_privileges
from db_api.rest_errors import RestError


class Describer:
    """Makes the documents of the data side.

    Args:
        database: asked as the caller's login.
        catalog: the schema cache of the same database.
        statement_timeout_ms: of each question.
    """

    def __init__(self, database: Database, catalog: Catalog, statement_timeout_ms: int) -> None:
        self._database = database
        self._catalog = catalog
        self._statement_timeout_ms = statement_timeout_ms

    async def describe(self, caller: Caller) -> bytes:
        """Write the document of a caller, as JSON.

        Raises:
            RestError: the database does not answer now.
        """
        terms = Terms(
            schema="pg_catalog",
            is_read_only=True,
            statement_timeout_ms=self._statement_timeout_ms,
            lock_timeout_ms=self._statement_timeout_ms,
        )

        async def ask(connection: Connection) -> Privileges:
            return await read_privileges(connection, caller.schema)

        try:
            privileges = await self._database.run(terms, ask, caller)
        except asyncpg.PostgresError as error:
            raise RestError(error.sqlstate or "XX000", error.message or "refused") from error
        snapshot = await self._catalog.snapshot()
        document = make_document(
            caller.schema,
            snapshot.tables(caller.schema),
            snapshot.functions.get(caller.schema, {}),
            privileges,
            may_write=not caller.is_read_only,
        )
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
