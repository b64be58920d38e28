"""POST of lines of text, any number of them: inserted as they come, in one transaction."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import asyncpg

from db_api.actions.action import Work, fetch, find_table
from db_api.answers import Answer, Result, answer_insert
from db_api.catalog import SchemaCache, Table
from db_api.connections import Connection
from db_api.grammar.body import JsonBody
from db_api.grammar.request import Request
from db_api.plan import NOTHING, Bounds, InsertPlan, Values, plan_insert
from db_api.rest_errors import RestError
from db_api.sql import insert_statement


class Inlet(Protocol):
    """Where the rows come from."""

    async def next(self) -> JsonBody | None:
        """Return the next rows; None after the last ones.

        Raises:
            RestError: they are no rows, or come too slowly.
        """


@dataclass(slots=True)
class Load:
    """POST of lines. What goes wrong has a note that says among which rows.

    Attributes:
        first: rows, which are kept until the next ones are asked for.
        inlet: has the others.
        patience_seconds: how long to wait for the database with each batch of rows.
        has_read_on: it cannot be tried again.
    """

    request: Request
    first: JsonBody
    inlet: Inlet
    bounds: Bounds
    patience_seconds: float
    has_read_on: bool = False

    def plan(self, snapshot: SchemaCache, schema: str) -> Work:
        """Plan it on a schema, as `Action`."""
        table = find_table(snapshot, schema, self.request.name)
        work = _PlannedLoad(self, snapshot, table)
        work.plan(self.first)
        return work


@dataclass(frozen=True, slots=True)
class _PlannedLoad:
    load: Load
    snapshot: SchemaCache
    table: Table
    is_read_only: bool = False

    def plan(self, body: JsonBody) -> tuple[InsertPlan, Values]:
        values = Values()
        plan = plan_insert(
            self.load.request.query,
            self.snapshot,
            self.table,
            values,
            body=body,
            preferences=self.load.request.preferences,
            view=NOTHING,
            bounds=self.load.bounds,
        )
        return plan, values

    async def run(self, connection: Connection) -> Answer:
        rows, new = 0, None
        body: JsonBody | None = self.load.first
        while body is not None:
            with _noting(rows):
                result = await self._insert(connection, body)
            rows += result.rows
            new = result.total  # counted by the transaction, not by the statement
            self.load.has_read_on = True
            with _noting(rows):
                body = await self.load.inlet.next()
        return answer_insert(self.load.request, self.table, Result(b"", rows, new, is_cut=False))

    async def _insert(self, connection: Connection, body: JsonBody) -> Result:
        plan, values = self.plan(body)
        async with asyncio.timeout(self.load.patience_seconds):
            return await fetch(connection, insert_statement(plan), values)


@contextmanager
def _noting(rows: int) -> Iterator[None]:
    """Note on what is refused meanwhile after how many rows it was."""
    try:
        yield
    except (RestError, asyncpg.PostgresError) as error:
        error.add_note(f"in the rows after {rows}")
        raise
