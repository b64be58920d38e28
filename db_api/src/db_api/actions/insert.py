"""POST of rows, and PUT of one."""

from dataclasses import dataclass

from db_api.actions.action import Work, fetch, find_table, view_of
from db_api.answers import Answer, answer_insert, answer_put, require_one_row
from db_api.catalog import SchemaCache, Table
from db_api.connections import Connection
from db_api.grammar.body import JsonBody
from db_api.grammar.request import Request
from db_api.plan import Bounds, InsertPlan, Values, other_row, plan_insert, plan_put
from db_api.sql import insert_statement


@dataclass(frozen=True, slots=True)
class Insert:
    """POST of rows."""

    request: Request
    body: JsonBody
    bounds: Bounds

    def plan(self, snapshot: SchemaCache, schema: str) -> Work:
        """Plan it on a schema, as `Action`."""
        values = Values()
        table = find_table(snapshot, schema, self.request.name)
        plan = plan_insert(
            self.request.query,
            snapshot,
            table,
            values,
            body=self.body,
            preferences=self.request.preferences,
            view=view_of(self.request),
            bounds=self.bounds,
        )
        return _PlannedInsert(self.request, table, plan, values)


@dataclass(frozen=True, slots=True)
class _PlannedInsert:
    request: Request
    table: Table
    plan: InsertPlan
    values: Values
    is_read_only: bool = False

    async def run(self, connection: Connection) -> Answer:
        result = await fetch(connection, insert_statement(self.plan), self.values)
        require_one_row(self.request, result)
        return answer_insert(self.request, self.table, result)


@dataclass(frozen=True, slots=True)
class Put:
    """PUT of one row."""

    request: Request
    body: JsonBody
    bounds: Bounds

    def plan(self, snapshot: SchemaCache, schema: str) -> Work:
        """Plan it on a schema, as `Action`."""
        values = Values()
        plan = plan_put(
            self.request.query,
            snapshot,
            find_table(snapshot, schema, self.request.name),
            values,
            body=self.body,
            preferences=self.request.preferences,
            view=view_of(self.request),
            bounds=self.bounds,
        )
        return _PlannedPut(self.request, plan, values)


@dataclass(frozen=True, slots=True)
class _PlannedPut:
    request: Request
    plan: InsertPlan
    values: Values
    is_read_only: bool = False

    async def run(self, connection: Connection) -> Answer:
        result = await fetch(connection, insert_statement(self.plan), self.values)
        if result.rows != 1:
            raise other_row()
        return answer_put(self.request, result)
