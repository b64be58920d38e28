"""Plan what is shown of the rows that a write touched."""

from typing import Final

from db_api.catalog import SchemaCache, Table
from db_api.grammar.ast import Clauses, Query, SelectItem
from db_api.identifiers import SqlName
from db_api.plan.columns import columns_read
from db_api.plan.model import NOTHING, Shown, View
from db_api.plan.scopes import scope_of
from db_api.plan.tree import Bounds, Planner, Source
from db_api.plan.values import Values

WRITTEN: Final = SqlName("written")
"""What the rows that a write returned are called in its statement."""


def plan_shown(
    query: Query,
    snapshot: SchemaCache,
    table: Table,
    values: Values,
    *,
    select: tuple[SelectItem, ...],
    view: View,
    bounds: Bounds,
) -> Shown:
    """Plan what is shown of written rows: all of them, since a page of them is of no use.

    Args:
        query: in which order they are shown, and what is said of resources embedded in them.
        snapshot: the schema cache that `table` belongs to.
        table: what is written.
        values: takes the request's values.
        select: what is shown of each; nothing when it is empty.
        view: what becomes of them, if something is shown.
        bounds: what the server allows.

    Raises:
        RestError: a name is not there.
    """
    node = Planner(snapshot, values, bounds).node(
        Source(table, WRITTEN, is_written=True),
        select,
        scope_of(query, Clauses(order=query.order)) if select else (),
    )
    return Shown(
        returning=tuple(sorted(columns_read(node))), node=node, view=view if select else NOTHING
    )
