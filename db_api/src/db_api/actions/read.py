"""GET and HEAD of a table."""

import json
from dataclasses import dataclass, replace

from db_api.actions.action import Work, fetch, find_table, view_of
from db_api.answers import Answer, Result, answer_read
from db_api.catalog import SchemaCache
from db_api.connections import Connection
from db_api.grammar.request import Request
from db_api.plan import NOTHING, Bounds, ReadPlan, Values, plan_read
from db_api.sql import explain_statement, read_statement


@dataclass(frozen=True, slots=True)
class Read:
    """GET and HEAD."""

    request: Request
    bounds: Bounds

    def plan(self, snapshot: SchemaCache, schema: str) -> Work:
        """Plan it on a schema, as `Action`."""
        values = Values()
        plan = plan_read(
            self.request.query,
            snapshot,
            find_table(snapshot, schema, self.request.name),
            values,
            page=self.request.page,
            bounds=self.bounds,
            count=self.request.preferences.count,
            view=NOTHING if self.request.method == "HEAD" else view_of(self.request),
        )
        return _PlannedRead(self, plan, values)


@dataclass(frozen=True, slots=True)
class _PlannedRead:
    read: Read
    plan: ReadPlan
    values: Values
    is_read_only: bool = True

    async def run(self, connection: Connection) -> Answer:
        result = await fetch(connection, read_statement(self.plan), self.values)
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


async def _estimate(connection: Connection, plan: ReadPlan, values: Values) -> int:
    statement = explain_statement(plan)
    text = await connection.fetchval(statement.text, *map(values.__getitem__, statement.slots))
    return int(json.loads(text)[0]["Plan"]["Plan Rows"])
