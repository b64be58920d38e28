"""`select=`: which columns an answer shows, under which names."""

import re
from typing import Final

from db_api.grammar.ast import Field, SelectAll, SelectField, SelectItem
from db_api.grammar.cursor import Cursor
from db_api.grammar.fields import read_name, read_path, skip_comma, skip_space
from db_api.rest_errors import RestError, not_supported

_ALIAS_END: Final = re.compile(r":(?!:)")
_CAST: Final = re.compile(r"[\w $]+")
_AGGREGATE: Final = re.compile(r"\.(sum|avg|count|max|min)\(\)")


def read_select(text: str) -> tuple[SelectItem, ...]:
    """Read a selection; an empty one selects everything.

    Raises:
        RestError: it is malformed, or asks for what is not served.
    """
    if not text:
        return (SelectAll(),)
    cursor = Cursor(text, f"failed to parse select parameter ({text})")
    items = [_read_item(cursor)]
    while skip_comma(cursor):
        items.append(_read_item(cursor))
    cursor.require_end('"->>", "->", "::", "," or end of input')
    return tuple(items)


def _read_item(cursor: Cursor) -> SelectItem:
    skip_space(cursor)
    if cursor.skip("*"):
        return SelectAll()
    if cursor.sees("..."):
        raise not_supported("Spreading an embedded resource (...)")
    item = _read_field(cursor)
    if cursor.sees("(") or cursor.sees("!"):
        raise _refusal_of_call(cursor, item)
    return item


def _read_field(cursor: Cursor) -> SelectField:
    name, alias = read_name(cursor), None
    if cursor.take(_ALIAS_END):
        name, alias = read_name(cursor), name
    path = read_path(cursor)
    cast = _read_cast(cursor) if cursor.skip("::") else None
    if cursor.take(_AGGREGATE):
        raise not_supported("An aggregate in select=")
    skip_space(cursor)
    return SelectField(Field(name, path), alias, cast)


def _read_cast(cursor: Cursor) -> str:
    found = cursor.take(_CAST)
    if not found:
        raise cursor.unexpected("letter or digit")
    return found[0].strip()


def _refusal_of_call(cursor: Cursor, item: SelectField) -> RestError:
    if item.field.path or item.cast:
        return cursor.unexpected('"->>", "->", "::", "," or end of input')
    if cursor.sees("()") and item.field.name == "count":
        return not_supported("An aggregate in select=")
    return not_supported(f"Embedding the resource {item.field.name!r}")
