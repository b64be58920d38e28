"""Plan an update or a removal: writes of rows that exist, chosen by filters."""

from db_api.catalog import SchemaCache, Table
from db_api.grammar.ast import Query
from db_api.grammar.body import JsonBody
from db_api.grammar.preferences import Preferences
from db_api.plan.incoming import plan_incoming
from db_api.plan.model import DeletePlan, Shown, UpdatePlan, View
from db_api.plan.node import Predicate
from db_api.plan.resolve import Resolver
from db_api.plan.shown import plan_shown
from db_api.plan.tree import Bounds
from db_api.plan.values import Values


def plan_update(
    query: Query,
    snapshot: SchemaCache,
    table: Table,
    values: Values,
    *,
    body: JsonBody,
    preferences: Preferences,
    view: View,
    bounds: Bounds,
) -> UpdatePlan:
    """Plan an update of the rows that the filters leave; a page does not apply to writes.

    Args:
        query: which rows, `columns=`, and what is shown of them.
        snapshot: the schema cache that `table` belongs to.
        table: what is written.
        values: takes the request's values.
        body: the new values.
        preferences: what is returned, and what becomes of missing members.
        view: what becomes of the rows, when they are returned.
        bounds: what the server allows.

    Raises:
        RestError: a name is not there.
    """
    fills_defaults = preferences.fills_defaults
    return UpdatePlan(
        table=table.sql_name,
        rows=plan_incoming(query, table, values, body, fills_defaults=fills_defaults),
        where=_chosen(query, snapshot, table, values),
        shown=_shown(query, snapshot, table, values, preferences, view, bounds),
        is_counted=preferences.max_affected is not None,
    )


def plan_delete(
    query: Query,
    snapshot: SchemaCache,
    table: Table,
    values: Values,
    *,
    preferences: Preferences,
    view: View,
    bounds: Bounds,
) -> DeletePlan:
    """Plan a removal of the rows that the filters leave; the arguments are as of an update.

    Raises:
        RestError: a name is not there.
    """
    return DeletePlan(
        table=table.sql_name,
        where=_chosen(query, snapshot, table, values),
        shown=_shown(query, snapshot, table, values, preferences, view, bounds),
        is_counted=preferences.max_affected is not None,
    )


def _chosen(
    query: Query, snapshot: SchemaCache, table: Table, values: Values
) -> tuple[Predicate, ...]:
    return tuple(map(Resolver(snapshot, table, values).predicate, query.where))


def _shown(
    query: Query,
    snapshot: SchemaCache,
    table: Table,
    values: Values,
    preferences: Preferences,
    view: View,
    bounds: Bounds,
) -> Shown:
    select = query.select if preferences.returning == "representation" else ()
    return plan_shown(query, snapshot, table, values, select=select, view=view, bounds=bounds)
