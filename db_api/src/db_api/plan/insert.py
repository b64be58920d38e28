"""Plan an insert."""

from collections.abc import Iterable
from typing import Final

from db_api.catalog import Column, SchemaCache, Table
from db_api.grammar.ast import Clauses, Field, Query, SelectField, SelectItem
from db_api.grammar.body import JsonBody
from db_api.grammar.preferences import Preferences
from db_api.identifiers import SqlName
from db_api.plan.columns import columns_read
from db_api.plan.model import NOTHING, InsertPlan, Target, View
from db_api.plan.scopes import scope_of
from db_api.plan.tree import Bounds, Planner, Source
from db_api.plan.values import Values
from db_api.rest_errors import RestError

WRITTEN: Final = SqlName("written")
"""What the rows that a write returned are called in its statement."""


def plan_insert(
    query: Query,
    snapshot: SchemaCache,
    table: Table,
    values: Values,
    *,
    body: JsonBody,
    preferences: Preferences,
    view: View,
    bounds: Bounds,
) -> InsertPlan:
    """Plan an insert of every row of a body.

    Args:
        query: `columns=`, and what is shown of the new rows; its filters and page do not
            apply to rows that do not exist yet.
        snapshot: the schema cache that `table` belongs to.
        table: what is written.
        values: takes the request's values.
        body: the rows.
        preferences: what is returned, and what becomes of missing members.
        view: what becomes of the rows, when all of them are returned.
        bounds: what the server allows.

    Raises:
        RestError: a name is not there.
    """
    columns = [_require_column(table, name) for name in query.columns or body.keys]
    select = _shown(query, table, preferences)
    node = Planner(snapshot, values, bounds).node(
        Source(table, WRITTEN, is_written=True),
        select,
        scope_of(query, Clauses(order=query.order)) if _shows_rows(preferences) else (),
    )
    return InsertPlan(
        table=table.sql_name,
        body=values.add(body.data),
        is_object=body.is_object,
        targets=tuple(_targets(columns, values, fills_defaults=preferences.fills_defaults)),
        returning=tuple(sorted(columns_read(node))),
        node=node,
        view=_view(view, preferences) if select else NOTHING,
    )


def _shows_rows(preferences: Preferences) -> bool:
    return preferences.returning == "representation"


def _shown(query: Query, table: Table, preferences: Preferences) -> tuple[SelectItem, ...]:
    if _shows_rows(preferences):
        return query.select
    if preferences.returning == "headers-only":
        return tuple(SelectField(Field(name), None, None) for name in table.primary_key)
    return ()


def _view(wanted: View, preferences: Preferences) -> View:
    return wanted if _shows_rows(preferences) else View("array")


def _targets(
    columns: Iterable[Column], values: Values, *, fills_defaults: bool
) -> Iterable[Target]:
    for column in columns:
        if fills_defaults and column.default is not None:
            key = values.add(column.name)
            yield Target(column.sql_name, column.type, column.default, key)
        else:
            yield Target(column.sql_name, column.type)


def _require_column(table: Table, name: str) -> Column:
    column = table.columns.get(name)
    if column is None:
        raise RestError(
            "PGRST204",
            f"Could not find the '{name}' column of '{table.name}' in the schema cache",
        )
    return column
