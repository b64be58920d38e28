"""What each method does to a table: planned before a connection is taken, then run on one."""

import json
from dataclasses import dataclass, replace
from typing import Protocol

from db_api.answers import Answer, Result, answer_insert, answer_read, require_one_row
from db_api.catalog import SchemaCache, Table
from db_api.connections import Connection
from db_api.grammar.body import JsonBody
from db_api.grammar.request import Request
from db_api.plan import (
    NOTHING,
    Bounds,
    InsertPlan,
    ReadPlan,
    Values,
    View,
    plan_insert,
    plan_read,
)
from db_api.sql import Statement, explain_statement, insert_statement, read_statement


class Work(Protocol):
    """A planned action."""

    async def run(self, connection: Connection) -> Answer:
        """Run it in the transaction of a connection.

        Raises:
            RestError: the result is not what the client asked for; nothing may be kept.
            asyncpg.PostgresError: PostgreSQL refused.
        """


class Action(Protocol):
    """What a request does, before its table is known."""

    @property
    def is_read_only(self) -> bool:
        """Tell whether it writes nothing."""

    def plan(self, snapshot: SchemaCache, table: Table) -> Work:
        """Plan it for a table.

        Raises:
            RestError: the request names what is not there.
        """


@dataclass(frozen=True, slots=True)
class Read:
    """GET and HEAD."""

    request: Request
    bounds: Bounds
    is_read_only: bool = True

    def plan(self, snapshot: SchemaCache, table: Table) -> Work:
        """Plan it for a table, as `Action`."""
        values = Values()
        plan = plan_read(
            self.request.query,
            snapshot,
            table,
            values,
            page=self.request.page,
            bounds=self.bounds,
            count=self.request.preferences.count,
            view=NOTHING if self.request.method == "HEAD" else _view(self.request),
        )
        return _PlannedRead(self, plan, values)


@dataclass(frozen=True, slots=True)
class _PlannedRead:
    read: Read
    plan: ReadPlan
    values: Values

    async def run(self, connection: Connection) -> Answer:
        result = await _fetch(connection, read_statement(self.plan), self.values)
        if self._needs_estimate(result):
            estimate = await _estimate(connection, self.plan, self.values)
            result = replace(result, total=max(estimate, result.total or 0))
        return answer_read(self.read.request, result)

    def _needs_estimate(self, result: Result) -> bool:
        """Tell whether the planner is asked: it is, beyond what was counted, or to count."""
        count = self.read.request.preferences.count
        if count == "estimated":
            return result.total is not None and result.total > self.read.bounds.max_rows
        return count == "planned"


@dataclass(frozen=True, slots=True)
class Insert:
    """POST of rows."""

    request: Request
    body: JsonBody
    bounds: Bounds
    is_read_only: bool = False

    def plan(self, snapshot: SchemaCache, table: Table) -> Work:
        """Plan it for a table, as `Action`."""
        values = Values()
        plan = plan_insert(
            self.request.query,
            snapshot,
            table,
            values,
            body=self.body,
            preferences=self.request.preferences,
            view=_view(self.request),
            bounds=self.bounds,
        )
        return _PlannedInsert(self.request, table, plan, values)


@dataclass(frozen=True, slots=True)
class _PlannedInsert:
    request: Request
    table: Table
    plan: InsertPlan
    values: Values

    async def run(self, connection: Connection) -> Answer:
        result = await _fetch(connection, insert_statement(self.plan), self.values)
        require_one_row(self.request, result)
        return answer_insert(self.request, self.table, result)


def _view(request: Request) -> View:
    wanted = request.representation
    return View("object" if wanted.is_object else "array", wanted.strips_nulls)


async def _fetch(connection: Connection, statement: Statement, values: Values) -> Result:
    row = await connection.fetchrow(statement.text, *map(values.__getitem__, statement.slots))
    if row is None:
        raise LookupError("a statement of ours returned no row")
    return Result(row[0], row[1], row[2], row[3])


async def _estimate(connection: Connection, plan: ReadPlan, values: Values) -> int:
    statement = explain_statement(plan)
    text = await connection.fetchval(statement.text, *map(values.__getitem__, statement.slots))
    return int(json.loads(text)[0]["Plan"]["Plan Rows"])
