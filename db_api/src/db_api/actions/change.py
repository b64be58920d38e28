"""PATCH and DELETE: writes of the rows that the filters leave."""

from dataclasses import dataclass

from db_api.actions.action import Work, fetch, find_table, view_of
from db_api.answers import (
    Answer,
    answer_delete,
    answer_update,
    require_few_rows,
    require_one_row,
)
from db_api.catalog import SchemaCache
from db_api.connections import Connection
from db_api.grammar.body import JsonBody
from db_api.grammar.request import Request
from db_api.plan import Bounds, DeletePlan, UpdatePlan, Values, plan_delete, plan_update
from db_api.sql import delete_statement, update_statement


@dataclass(frozen=True, slots=True)
class Update:
    """PATCH of rows."""

    request: Request
    body: JsonBody
    bounds: Bounds

    def plan(self, snapshot: SchemaCache, schema: str) -> Work:
        """Plan it on a schema, as `Action`."""
        values = Values()
        plan = plan_update(
            self.request.query,
            snapshot,
            find_table(snapshot, schema, self.request.name),
            values,
            body=self.body,
            preferences=self.request.preferences,
            view=view_of(self.request),
            bounds=self.bounds,
        )
        return _PlannedUpdate(self.request, plan, values)


@dataclass(frozen=True, slots=True)
class _PlannedUpdate:
    request: Request
    plan: UpdatePlan
    values: Values
    is_read_only: bool = False

    async def run(self, connection: Connection) -> Answer:
        result = await fetch(connection, update_statement(self.plan), self.values)
        require_one_row(self.request, result)
        require_few_rows(self.request, result)
        return answer_update(self.request, result)


@dataclass(frozen=True, slots=True)
class Delete:
    """DELETE of rows."""

    request: Request
    bounds: Bounds

    def plan(self, snapshot: SchemaCache, schema: str) -> Work:
        """Plan it on a schema, as `Action`."""
        values = Values()
        plan = plan_delete(
            self.request.query,
            snapshot,
            find_table(snapshot, schema, self.request.name),
            values,
            preferences=self.request.preferences,
            view=view_of(self.request),
            bounds=self.bounds,
        )
        return _PlannedDelete(self.request, plan, values)


@dataclass(frozen=True, slots=True)
class _PlannedDelete:
    request: Request
    plan: DeletePlan
    values: Values
    is_read_only: bool = False

    async def run(self, connection: Connection) -> Answer:
        result = await fetch(connection, delete_statement(self.plan), self.values)
        require_one_row(self.request, result)
        require_few_rows(self.request, result)
        return answer_delete(self.request, result)
