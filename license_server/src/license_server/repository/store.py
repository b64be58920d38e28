"""What all stores have in common: the connection of the transaction that they are part of."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import aiosqlite
import asyncpg
from sqlalchemy import Table
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
        """Insert many rows of the same columns in the same order, by COPY where there is one."""
        if not rows:
            return
        raw = await self._connection.get_raw_connection()
        driver, columns = raw.driver_connection, list(rows[0])
        records = [tuple(row.values()) for row in rows]
        try:
            if isinstance(driver, aiosqlite.Connection):
                await driver.executemany(_insertion(table.name, columns), records)
            elif isinstance(driver, asyncpg.Connection):
                await driver.copy_records_to_table(table.name, records=records, columns=columns)
        except (asyncpg.UniqueViolationError, sqlite3.IntegrityError) as error:
            raise StateConflict("another change came first: look and try again") from error

    def _insert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        if self._connection.dialect.name == "sqlite":
            return sqlite.insert(table)
        return postgresql.insert(table)


def _insertion(table: str, columns: Sequence[str]) -> str:
    """Return the statement that SQLite runs once a row: SQLAlchemy's way costs twice as much."""
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - names of our own tables
