"""Where a page begins: after the last row of the one before, which its token tells."""

from dataclasses import dataclass

from db_api.catalog import Table
from db_api.grammar.ast import Query
from db_api.page_tokens import PageTokens
from db_api.plan import after, with_total_order


@dataclass(frozen=True, slots=True)
class Walk:
    """A read in pages.

    Attributes:
        query: for the rows from where the page begins.
        context: what the tokens are for: the table and its order; None where there are none.
    """

    query: Query
    context: str | None


def walk(query: Query, table: Table, tokens: PageTokens) -> Walk:
    """Begin where a query says, its own token included.

    Raises:
        RestError: the token is not one of this table and order.
    """
    ordered = with_total_order(query, table)
    if ordered is None:
        if query.after is not None:
            raise tokens.refusal()
        return Walk(query, None)
    order = [f"{term.field.name}\0{term.direction}\0{term.nulls}" for term in ordered.order]
    context = "\0".join((table.schema, table.name, *order))  # no name holds a NUL
    if query.after is None:
        return Walk(ordered, context)
    return Walk(after(ordered, table, tokens.read(query.after, context)), context)
