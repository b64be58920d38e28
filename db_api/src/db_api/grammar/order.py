"""`order=`: `name.desc.nullslast,data->>key,related(name)`."""

import re
from typing import Final, cast

from db_api.grammar.ast import Direction, Nulls, OrderTerm
from db_api.grammar.cursor import Cursor
from db_api.grammar.fields import read_field, skip_comma, skip_space

_SUFFIX: Final = re.compile(r"(?:\.(asc|desc))?(?:\.(nullsfirst|nullslast))?(?=[, \t]|\Z)")


def read_order(text: str) -> tuple[OrderTerm, ...]:
    """Read an order.

    Raises:
        RestError: it is malformed.
    """
    cursor = Cursor(text, f"failed to parse order ({text})")
    terms = [_read_term(cursor)]
    while skip_comma(cursor):
        terms.append(_read_term(cursor))
    cursor.require_end('"," or end of input')
    return tuple(terms)


def _read_term(cursor: Cursor) -> OrderTerm:
    field = read_field(cursor)
    embed = None
    if not field.path and cursor.skip("("):
        embed, field = field.name, read_field(cursor)
        cursor.require(")")
    suffix = cursor.take(_SUFFIX)
    if suffix is None:
        cursor.skip(".")
        raise cursor.unexpected('"asc", "desc", "nullsfirst" or "nullslast"')
    skip_space(cursor)
    direction, nulls = cast("Direction | None", suffix[1]), cast("Nulls | None", suffix[2])
    return OrderTerm(field, direction, nulls, embed)
