"""`select=`: which columns and related resources an answer shows, under which names."""

import re
from functools import lru_cache
from typing import Final, cast

from db_api.grammar.ast import (
    Aggregate,
    Field,
    Join,
    SelectAggregate,
    SelectAll,
    SelectEmbed,
    SelectField,
    SelectItem,
)
from db_api.grammar.cursor import Cursor
from db_api.grammar.fields import read_name, read_path, skip_comma, skip_space
from db_api.rest_errors import RestError

MAX_EMBED_DEPTH: Final = 4
MAX_EMBEDS: Final = 32
"""Our decisions (data-api, Limits): each embedded resource is a subquery of its own."""

_ALL: Final = (SelectAll(),)
_MAX_KEPT: Final = 512
"""Characters of a selection that is kept; a longer one would fill the memory with its kind."""

_ALIAS_END: Final = re.compile(r":(?!:)")
_CAST: Final = re.compile(r"[\w $]+")
_AGGREGATE: Final = re.compile(r"\.(sum|avg|count|max|min)\(\)")
_JOIN: Final = re.compile(r"!(inner|left)(?=[!(])")
_SURPLUS: Final = re.compile(r"\)+\Z")
_END: Final = '"->>", "->", "::", "," or end of input'


def read_select(text: str) -> tuple[SelectItem, ...]:
    """Read a selection; an empty one selects everything.

    Raises:
        RestError: it is malformed, or embeds too many resources or too deep.
    """
    if not text:
        return _ALL
    return _read_short(text) if len(text) <= _MAX_KEPT else _Selection(text).read()


@lru_cache(maxsize=512)  # the same few selections come with every request
def _read_short(text: str) -> tuple[SelectItem, ...]:
    return _Selection(text).read()


class _Selection:
    """A selection that is being read; the resources that it embeds are counted."""

    def __init__(self, text: str) -> None:
        self._cursor = Cursor(text, f"failed to parse select parameter ({text})")
        self._embeds = 0

    def read(self) -> tuple[SelectItem, ...]:
        items = self._read_items(depth=0)
        if self._embeds:  # clients' users write one too many, and PostgREST takes it
            self._cursor.take(_SURPLUS)
        self._cursor.require_end(_END)
        return items

    def _read_items(self, depth: int) -> tuple[SelectItem, ...]:
        items = [self._read_item(depth)]
        while skip_comma(self._cursor):
            items.append(self._read_item(depth))
        return tuple(items)

    def _read_item(self, depth: int) -> SelectItem:
        cursor = self._cursor
        skip_space(cursor)
        if cursor.skip("*"):
            item: SelectItem = SelectAll()
        elif cursor.skip("..."):
            item = self._read_embed(read_name(cursor), None, depth, is_spread=True)
        else:
            item = self._read_named(depth)
        skip_space(cursor)
        return item

    def _read_named(self, depth: int) -> SelectItem:
        cursor = self._cursor
        name, alias = read_name(cursor), None
        if cursor.take(_ALIAS_END):
            skip_space(cursor)
            name, alias = read_name(cursor), name
        if cursor.sees("()") and name == "count":
            cursor.skip("()")
            return SelectAggregate("count", None, None, alias, _read_cast(cursor))
        if cursor.sees("(") or cursor.sees("!"):
            return self._read_embed(name, alias, depth, is_spread=False)
        field, cast_type = Field(name, read_path(cursor)), _read_cast(cursor)
        function = cursor.take(_AGGREGATE)
        if function is None:
            return SelectField(field, alias, cast_type)
        return SelectAggregate(
            cast("Aggregate", function[1]), field, cast_type, alias, _read_cast(cursor)
        )

    def _read_embed(
        self, name: str, alias: str | None, depth: int, *, is_spread: bool
    ) -> SelectEmbed:
        cursor = self._cursor
        hint: str | None = None
        join: Join | None = None
        for _ in range(2):  # in either order
            found = cursor.take(_JOIN)
            if found:
                join = join or cast("Join", found[1])
            elif cursor.skip("!"):
                second = read_name(cursor)
                hint = second if hint is None else hint
        self._require_room(depth + 1)
        cursor.require("(")
        skip_space(cursor)
        items = () if cursor.sees(")") else self._read_items(depth + 1)
        cursor.require(")")
        return SelectEmbed(name, alias, hint, join, items, is_spread)

    def _require_room(self, depth: int) -> None:
        self._embeds += 1
        if depth > MAX_EMBED_DEPTH or self._embeds > MAX_EMBEDS:
            raise RestError(
                "DBAPI410",
                "The request embeds too many resources",
                details=f"At most {MAX_EMBEDS} are allowed, nested {MAX_EMBED_DEPTH} deep.",
                hint="Ask for the rest in requests of their own.",
            )


def _read_cast(cursor: Cursor) -> str | None:
    if not cursor.skip("::"):
        return None
    found = cursor.take(_CAST)
    if not found:
        raise cursor.unexpected("letter or digit")
    return found[0].strip()
