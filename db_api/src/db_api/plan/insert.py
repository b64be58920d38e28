"""Plan an insert, and what becomes of rows that exist already."""

from typing import TypeGuard

from db_api.catalog import SchemaCache, Table
from db_api.grammar.ast import Comparison, Condition, Field, Query, SelectField, SelectItem
from db_api.grammar.body import JsonBody
from db_api.grammar.preferences import Preferences
from db_api.identifiers import SqlName
from db_api.plan.incoming import plan_incoming
from db_api.plan.model import Conflict, InsertPlan, View
from db_api.plan.resolve import Resolver
from db_api.plan.shown import plan_shown
from db_api.plan.tree import Bounds
from db_api.plan.values import Values
from db_api.rest_errors import RestError


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
        query: `columns=`, `on_conflict=`, and what is shown of the new rows; its filters and
            page do not apply to rows that do not exist yet.
        snapshot: the schema cache that `table` belongs to.
        table: what is written.
        values: takes the request's values.
        body: the rows.
        preferences: what is returned, what becomes of missing members, and of rows that exist.
        view: what becomes of the rows, when all of them are returned.
        bounds: what the server allows.

    Raises:
        RestError: a name is not there.
    """
    fills_defaults = preferences.fills_defaults
    return InsertPlan(
        table=table.sql_name,
        rows=plan_incoming(query, table, values, body, fills_defaults=fills_defaults),
        only=(),
        conflict=_conflict(query, table, preferences),
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


def plan_put(
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
    """Plan to make a row what a body says, whether it exists or not.

    Args:
        query: which row: one equality for each column of the primary key, and nothing else.
        snapshot: the schema cache that `table` belongs to.
        table: what is written.
        values: takes the request's values.
        body: the row.
        preferences: what is returned.
        view: what becomes of it, when it is returned.
        bounds: what the server allows.

    Raises:
        RestError: a name is not there, the query is not about one row, or the body is not about
            the same row.
    """
    _require_one_key(query, table)
    rows = plan_incoming(query, table, values, body, fills_defaults=False)
    key = _sql_names(table, table.primary_key)
    if not set(key) <= {target.column for target in rows.targets}:
        raise other_row()
    return InsertPlan(
        table=table.sql_name,
        rows=rows,
        only=tuple(map(Resolver(snapshot, table, values).predicate, query.where)),
        conflict=Conflict(key, is_merged=True),
        shown=plan_shown(
            query,
            snapshot,
            table,
            values,
            select=query.select if preferences.returning == "representation" else (),
            view=view,
            bounds=bounds,
        ),
    )


def other_row() -> RestError:
    """Refuse to put a row in the place of another one."""
    return RestError("PGRST115", "Payload values do not match URL in primary key column(s)")


def _require_one_key(query: Query, table: Table) -> None:
    if query.limit is not None or query.offset:
        raise RestError("PGRST114", "limit/offset querystring parameters are not allowed for PUT")
    named = {condition.field.name for condition in query.where if _is_equality(condition)}
    is_whole = named == set(table.primary_key) and all(map(_is_equality, query.where))
    if not table.primary_key or not is_whole:
        raise RestError(
            "PGRST105",
            "Filters must include all and only primary key columns with 'eq' operators",
        )


def _is_equality(condition: Condition) -> TypeGuard[Comparison]:
    return (
        isinstance(condition, Comparison)
        and condition.operator == "eq"
        and condition.quantifier is None
        and not condition.negated
        and not condition.field.path
    )


def _conflict(query: Query, table: Table, preferences: Preferences) -> Conflict | None:
    columns = query.on_conflict or table.primary_key
    if preferences.resolution is None or not columns:
        return None
    is_merged = preferences.resolution == "merge-duplicates"
    return Conflict(_sql_names(table, columns), is_merged)


def _sql_names(table: Table, names: tuple[str, ...]) -> tuple[SqlName, ...]:
    for name in names:
        if name not in table.columns:
            raise RestError("42703", f"column {table.name}.{name} does not exist")
    return tuple(table.columns[name].sql_name for name in names)


def _selected(query: Query, table: Table, preferences: Preferences) -> tuple[SelectItem, ...]:
    if preferences.returning == "representation":
        return query.select
    if preferences.returning == "headers-only":
        return tuple(SelectField(Field(name), None, None) for name in table.primary_key)
    return ()
