"""GET and HEAD of a table."""

import json
from dataclasses import dataclass, replace
from typing import Final

from db_api.actions.action import Work, fetch, find_table, view_of
from db_api.actions.pages import walk
from db_api.answers import Answer, Result, answer_read, next_page
from db_api.catalog import SchemaCache
from db_api.connections import Connection
from db_api.grammar.ranges import Page
from db_api.grammar.request import Request
from db_api.page_tokens import PageTokens
from db_api.plan import NOTHING, Bounds, ReadPlan, Values, plan_read
from db_api.sql import explain_statement, read_statement

_MAX_LINKED: Final = 4096
"""Bytes of a query that a header may repeat; longer ones come in bodies."""


@dataclass(frozen=True, slots=True)
class Read:
    """GET and HEAD.

    Attributes:
        tokens: of pages.
    """

    request: Request
    bounds: Bounds
    tokens: PageTokens

    def plan(self, snapshot: SchemaCache, schema: str) -> Work:
        """Plan it on a schema, as `Action`."""
        request, values = self.request, Values()
        table = find_table(snapshot, schema, request.name)
        pages = walk(request.query, table, self.tokens)
        has_next = pages.context is not None and self._is_linked()
        plan = plan_read(
            pages.query,
            snapshot,
            table,
            values,
            page=request.page,
            bounds=self.bounds,
            count=request.preferences.count,
            view=NOTHING if request.method == "HEAD" else view_of(request, has_next=has_next),
        )
        return _PlannedRead(self, plan, values, pages.context)

    def _is_linked(self) -> bool:
        """Tell whether a link can say all that the next page needs: a Range is not in it."""
        request = self.request
        return (
            request.method == "GET"
            and len(request.query_string) <= _MAX_LINKED
            and request.page == Page(request.query.offset, request.query.limit)
        )


@dataclass(frozen=True, slots=True)
class _PlannedRead:
    read: Read
    plan: ReadPlan
    values: Values
    context: str | None
    is_read_only: bool = True

    async def run(self, connection: Connection) -> Answer:
        result = await fetch(connection, read_statement(self.plan), self.values)
        if self._needs_estimate(result):
            estimate = await _estimate(connection, self.plan, self.values)
            result = replace(result, total=max(estimate, result.total or 0))
        if result.last_keys is None or self.context is None:
            return answer_read(self.read.request, result)
        token = self.read.tokens.write(result.last_keys, self.context)
        return answer_read(self.read.request, result, next_page(self.read.request, token))

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
