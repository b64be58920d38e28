"""Pages that begin after the last row of the one before, wherever rows come and go meanwhile.

Only where the client orders by columns of a table that has a primary key: its columns are added to
the order, which makes it total. "After" is then a condition like those that clients write, so that
nothing else in a plan needs to know.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from db_api.catalog import Table
from db_api.grammar.ast import (
    Comparison,
    Condition,
    Field,
    Logic,
    OrderTerm,
    Query,
    SelectAggregate,
    SelectEmbed,
    SelectItem,
    Truth,
)

Keys = Sequence[str | None]
"""The values of a row by which it is ordered, as PostgreSQL's texts, None for NULL."""


def with_total_order(query: Query, table: Table) -> Query | None:
    """Return the query in an order without ties; None where there is no such order to be had."""
    if not query.order or not table.primary_key or table.is_view or _is_grouped(query.select):
        return None
    if not all(_is_plain(term, table) for term in query.order):
        return None
    names = {term.field.name for term in query.order}
    rest = [OrderTerm(Field(name), None, None) for name in table.primary_key if name not in names]
    return replace(query, order=(*query.order, *rest)) if rest else query


def after(query: Query, table: Table, keys: Keys) -> Query:
    """Return the query for the rows after one.

    Args:
        query: in a total order.
        table: that it is about.
        keys: of the row, one for each term of the order.
    """
    ways = Logic("or", tuple(_ways(query.order, table, keys)))
    return replace(query, where=(*query.where, *_bound(query.order[0], table, keys[0]), ways))


def _bound(first: OrderTerm, table: Table, key: str | None) -> Iterator[Condition]:
    """Say again what holds of the first term: an index finds that, not one of several ways."""
    if key is not None and not _ends_with_nulls(first, table):
        yield Comparison(first.field, "lte" if first.direction == "desc" else "gte", key)


def _is_grouped(items: Sequence[SelectItem]) -> bool:
    return any(
        isinstance(item, SelectAggregate)
        or (isinstance(item, SelectEmbed) and item.is_spread and _is_grouped(item.items))
        for item in items
    )


def _is_plain(term: OrderTerm, table: Table) -> bool:
    return term.embed is None and not term.field.path and term.field.name in table.columns


def _ways(terms: Sequence[OrderTerm], table: Table, keys: Keys) -> Iterator[Condition]:
    """Say in which ways a row comes after: equal in the first terms, after in the next one."""
    equal: list[Condition] = []
    for term, key in zip(terms, keys, strict=True):
        for condition in _later(term, table, key):
            yield Logic("and", (*equal, condition))
        equal.append(_equal(term.field, key))


def _equal(field: Field, key: str | None) -> Condition:
    return Truth(field, "NULL") if key is None else Comparison(field, "eq", key)


def _later(term: OrderTerm, table: Table, key: str | None) -> Iterator[Condition]:
    if key is None:
        if not _ends_with_nulls(term, table):
            yield Truth(term.field, "NOT NULL")
        return
    yield Comparison(term.field, "lt" if term.direction == "desc" else "gt", key)
    if _ends_with_nulls(term, table):
        yield Truth(term.field, "NULL")


def _ends_with_nulls(term: OrderTerm, table: Table) -> bool:
    nulls = term.nulls or ("nullsfirst" if term.direction == "desc" else "nullslast")
    return table.columns[term.field.name].nullable and nulls == "nullslast"
