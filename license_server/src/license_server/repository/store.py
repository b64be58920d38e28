"""What all stores have in common: the connection of the transaction that they are part of."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from sqlalchemy import Insert, Table, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from license_server.errors import StateConflict
from license_server.repository.rows import Row, Values
from license_server.repository.statements import Rows


class Store:
    """A store on the connection of a transaction.

    Args:
        connection: inside a transaction.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def _rows(self, query: Rows) -> Sequence[Row]:
        return (await self._connection.execute(query)).mappings().all()

    async def _row(self, query: Rows) -> Row | None:
        return (await self._connection.execute(query)).mappings().one_or_none()

    async def _add_unless_there(self, table: Table, values: Values) -> bool:
        """Insert a row unless one of its keys is taken; whoever is about to take it is awaited."""
        statement = self._insert(table).values(values).on_conflict_do_nothing()
        return (await self._connection.execute(statement)).rowcount > 0

    async def _add_many(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert many rows that have the same columns, by COPY where there is one."""
        if not rows:
            return
        if self._connection.dialect.name == "sqlite":
            statement: Insert = insert(table)
            await self._connection.execute(statement, list(rows))
            return
        raw = await self._connection.get_raw_connection()
        driver: asyncpg.Connection[asyncpg.Record] = raw.driver_connection  # type: ignore[assignment]  # SQLAlchemy knows no driver's type
        columns = list(rows[0])
        records = [tuple(row[name] for name in columns) for row in rows]
        try:
            await driver.copy_records_to_table(table.name, records=records, columns=columns)
        except asyncpg.UniqueViolationError as error:
            raise StateConflict("another change came first: look and try again") from error

    def _insert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        if self._connection.dialect.name == "sqlite":
            return sqlite.insert(table)
        return postgresql.insert(table)
