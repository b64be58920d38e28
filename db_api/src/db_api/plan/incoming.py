"""Plan how the rows of a body become values of columns."""

from collections.abc import Iterable

from db_api.catalog import Column, Table
from db_api.grammar.ast import Query
from db_api.grammar.body import JsonBody
from db_api.plan.model import Incoming, Target
from db_api.plan.values import Values
from db_api.rest_errors import RestError


def plan_incoming(
    query: Query, table: Table, values: Values, body: JsonBody, *, fills_defaults: bool
) -> Incoming:
    """Plan which columns a body sets: those of `columns=`, else those of its members.

    Args:
        query: with `columns=`.
        table: what is written.
        values: takes the request's values.
        body: the rows.
        fills_defaults: a member that a row lacks is the column's default, not NULL.

    Raises:
        RestError: a name is not there.
    """
    columns = [require_column(table, name) for name in query.columns or body.keys]
    return Incoming(
        body=values.add(body.data),
        is_object=body.is_object,
        targets=tuple(_targets(columns, values, fills_defaults=fills_defaults)),
    )


def _targets(
    columns: Iterable[Column], values: Values, *, fills_defaults: bool
) -> Iterable[Target]:
    for column in columns:
        if fills_defaults and column.default is not None:
            key = values.add(column.name)
            yield Target(column.sql_name, column.type, column.default, key)
        else:
            yield Target(column.sql_name, column.type)


def require_column(table: Table, name: str) -> Column:
    """Find a column that is written.

    Raises:
        RestError: the table has none of that name.
    """
    column = table.columns.get(name)
    if column is None:
        raise RestError(
            "PGRST204",
            f"Could not find the '{name}' column of '{table.name}' in the schema cache",
        )
    return column
