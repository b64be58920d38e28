"""Plan a read."""

from typing import Literal

from db_api.catalog import SchemaCache, Table
from db_api.grammar.ast import Clauses, Query
from db_api.grammar.preferences import Count
from db_api.grammar.query import MAX_BIGINT
from db_api.grammar.ranges import Page
from db_api.plan.model import ReadPlan, View
from db_api.plan.node import Node
from db_api.plan.scopes import scope_of
from db_api.plan.tree import Bounds, Planner, Source
from db_api.plan.values import Slot, Values


def plan_read(
    query: Query,
    snapshot: SchemaCache,
    table: Table,
    values: Values,
    *,
    page: Page,
    bounds: Bounds,
    count: Count | None,
    view: View,
) -> ReadPlan:
    """Plan a read of a page of a table's rows.

    Args:
        query: what is asked.
        snapshot: the schema cache that `table` belongs to.
        table: what is read.
        values: takes the request's values.
        page: which rows of the result are asked for.
        bounds: what the server allows: its cap on the rows of an answer, for one.
        count: how the whole result is counted.
        view: what becomes of the rows.

    Raises:
        RestError: the query names what is not there, or asks for too much.
    """
    return plan_rows(
        query,
        snapshot,
        Source(table, table.sql_name),
        values,
        page=page,
        bounds=bounds,
        count=count,
        view=view,
    )


def plan_stream(
    query: Query,
    snapshot: SchemaCache,
    table: Table,
    values: Values,
    *,
    page: Page,
    bounds: Bounds,
) -> Node:
    """Plan a read of a page of rows without a cap of the server's; see `plan_read`."""
    return Planner(snapshot, values, bounds).node(
        Source(table, table.sql_name),
        query.select,
        scope_of(query, Clauses(query.where, query.order)),
        limit=None if page.limit is None else values.add(page.limit),
        offset=values.add(page.offset) if page.offset else None,
    )


def plan_rows(
    query: Query,
    snapshot: SchemaCache,
    source: Source,
    values: Values,
    *,
    page: Page,
    bounds: Bounds,
    count: Count | None,
    view: View,
) -> ReadPlan:
    """Plan a read of a page of rows, wherever they come from; see `plan_read`."""
    max_rows = bounds.max_rows
    is_capped = page.limit is None or page.limit > max_rows
    limit = max_rows if page.limit is None or is_capped else page.limit
    node = Planner(snapshot, values, bounds).node(
        source,
        query.select,
        scope_of(query, Clauses(query.where, query.order)),
        limit=values.add(limit),
        offset=values.add(page.offset) if page.offset else None,
    )
    total: Literal["exact"] | Slot | None = None
    if count == "exact":
        total = "exact"
    elif count == "estimated":
        total = values.add(max_rows + 1)
    return ReadPlan(
        node,
        view,
        total,
        next_row=values.add(min(page.offset + limit, MAX_BIGINT)) if is_capped else None,
        last_row=values.add(min(page.offset + limit - 1, MAX_BIGINT))
        if view.has_next and limit
        else None,
    )
