"""Plan an insert."""

from db_api.catalog import SchemaCache, Table
from db_api.grammar.ast import Field, Query, SelectField, SelectItem
from db_api.grammar.body import JsonBody
from db_api.grammar.preferences import Preferences
from db_api.plan.incoming import plan_incoming
from db_api.plan.model import InsertPlan, View
from db_api.plan.shown import plan_shown
from db_api.plan.tree import Bounds
from db_api.plan.values import Values


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
    fills_defaults = preferences.fills_defaults
    return InsertPlan(
        table=table.sql_name,
        rows=plan_incoming(query, table, values, body, fills_defaults=fills_defaults),
        shown=plan_shown(
            query,
            snapshot,
            table,
            values,
            select=_selected(query, table, preferences),
            bounds=bounds,
            view=view if preferences.returning == "representation" else View("array"),
        ),
    )


def _selected(query: Query, table: Table, preferences: Preferences) -> tuple[SelectItem, ...]:
    if preferences.returning == "representation":
        return query.select
    if preferences.returning == "headers-only":
        return tuple(SelectField(Field(name), None, None) for name in table.primary_key)
    return ()
