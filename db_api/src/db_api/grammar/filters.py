"""Filters and the logic that joins them: `id=eq.1`, `or=(a.lt.2,not.and(b.is.null,c.in.(1,2)))`."""

import re
from typing import Final, Literal, cast

from db_api.grammar.ast import (
    Comparison,
    Condition,
    Field,
    FullText,
    Logic,
    Membership,
    Quantifier,
    Truth,
)
from db_api.grammar.cursor import Cursor
from db_api.grammar.fields import (
    read_field,
    read_quoted,
    skip_comma,
    skip_space,
)
from db_api.rest_errors import RestError

MAX_LOGIC_DEPTH: Final = 10
"""Our decision (data-api, Limits): a deeper condition is a mistake or an attack."""

QUANTIFIABLE: Final = frozenset(
    {"eq", "gt", "gte", "lt", "lte", "like", "ilike", "match", "imatch"}
)
COMPARISONS: Final = QUANTIFIABLE | {
    *("neq", "isdistinct"),
    *("cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj"),
}
_FULL_TEXT: Final = frozenset({"fts", "plfts", "phfts", "wfts"})
_TRUTHS: Final[dict[str, Literal["NULL", "NOT NULL", "TRUE", "FALSE", "UNKNOWN"]]] = {
    "null": "NULL",
    "not_null": "NOT NULL",
    "true": "TRUE",
    "false": "FALSE",
    "unknown": "UNKNOWN",
}

_OPERATOR: Final = re.compile(r"([a-z]+)(?:\(([\w $]*)\))?\.")
_TRUTH: Final = re.compile(r"[A-Za-z_]+")
_LIST_ITEM: Final = re.compile(r"[^,)]*")
_ARRAY: Final = re.compile(r"\{[^{}]*\}")
_ITEM_END: Final = re.compile(r"(?=[,)]|\Z)")
_LOGIC: Final = re.compile(r"(not\.)?(and|or)(?=[ \t]*\()")
_OPERATORS_EXPECTED: Final = "operator (eq, gt, ...)"


def read_filter(field: Field, value: str) -> Condition:
    """Read one filter of the query string.

    Raises:
        RestError: its value is no condition.
    """
    cursor = Cursor(value, f"failed to parse filter ({value})")
    condition = _read_condition(cursor, field, whole=True)
    cursor.require_end("end of input")
    return condition


def is_filter(value: str) -> bool:
    """Tell whether a value of the query string begins as a filter does."""
    found = _OPERATOR.match(value.removeprefix("not."))
    if found is None:
        return False
    name, argument = found[1], found[2]
    if argument is None:
        return name in COMPARISONS | _FULL_TEXT | {"in", "is"}
    return name in (QUANTIFIABLE if argument in {"any", "all"} else _FULL_TEXT)


def read_logic(operator: str, value: str) -> Logic:
    """Read one `and=(…)`, `or=(…)`, `not.and=(…)` or `not.or=(…)` of the query string.

    Args:
        operator: the key.
        value: what is in parentheses, these included.

    Raises:
        RestError: it is no such condition, or nested too deep.
    """
    cursor = Cursor(operator + value, f"failed to parse logic tree ({value})")
    logic = _read_logic(cursor, depth=1)
    if logic is None:
        cursor.position = len(operator)
        raise cursor.unexpected('"("')
    skip_space(cursor)
    cursor.require_end("end of input")
    return logic


def _read_logic(cursor: Cursor, depth: int) -> Logic | None:
    head = cursor.take(_LOGIC)
    if head is None:
        return None
    if depth > MAX_LOGIC_DEPTH:
        raise RestError(
            "DBAPI400",
            "The condition is nested too deep",
            details=f"At most {MAX_LOGIC_DEPTH} levels of and() and or() are allowed.",
        )
    skip_space(cursor)
    cursor.require("(")
    operands = [_read_operand(cursor, depth)]
    while skip_comma(cursor):
        operands.append(_read_operand(cursor, depth))
    skip_space(cursor)
    cursor.require(")")
    operator = cast("Literal['and', 'or']", head[2])
    return Logic(operator, tuple(operands), negated=head[1] is not None)


def _read_operand(cursor: Cursor, depth: int) -> Condition:
    skip_space(cursor)
    logic = _read_logic(cursor, depth + 1)
    if logic is not None:
        return logic
    field = read_field(cursor)
    cursor.require(".")
    return _read_condition(cursor, field, whole=False)


def _read_condition(cursor: Cursor, field: Field, *, whole: bool) -> Condition:
    """Read what follows a field: `not.`, an operator, a value.

    Args:
        cursor: where it stands.
        field: what it is about.
        whole: whether the value is all that follows, or ends before `,` or `)`.
    """
    negated = cursor.skip("not.")
    start = cursor.position
    found = cursor.take(_OPERATOR)
    name, argument = (found[1], found[2]) if found else ("", None)
    if argument is None and name == "in":
        return Membership(field, _read_list(cursor), negated=negated)
    if argument is None and name == "is":
        return Truth(field, _read_truth(cursor), negated=negated)
    if name in _FULL_TEXT and argument != "":
        query = _take_rest(cursor) if whole else _read_value(cursor)
        operator = cast("Literal['fts', 'plfts', 'phfts', 'wfts']", name)
        return FullText(field, operator, argument and argument.strip(), query, negated=negated)
    is_known = name in (COMPARISONS if argument is None else QUANTIFIABLE)
    if not is_known or argument not in (None, "any", "all"):
        cursor.position = start
        raise cursor.unexpected(
            _OPERATORS_EXPECTED if negated else f'"not" or {_OPERATORS_EXPECTED}'
        )
    value = _take_rest(cursor) if whole else _read_value(cursor)
    return Comparison(field, name, value, cast("Quantifier | None", argument), negated=negated)


def _take_rest(cursor: Cursor) -> str:
    value = cursor.text[cursor.position :]
    cursor.position = len(cursor.text)
    return value


def _read_truth(cursor: Cursor) -> Literal["NULL", "NOT NULL", "TRUE", "FALSE", "UNKNOWN"]:
    start = cursor.position
    found = cursor.take(_TRUTH)
    what = _TRUTHS.get(found[0].lower()) if found else None
    if what is None:
        cursor.position = start
        raise cursor.unexpected("isVal: (null, not_null, true, false, unknown)")
    return what


def _read_list(cursor: Cursor) -> tuple[str, ...]:
    """Read `(a,"b,c",d)`; `()` is the empty list, as is one of spaces only."""
    skip_space(cursor)
    cursor.require("(")
    skip_space(cursor)
    values = [_read_quoted_item(cursor)]
    while cursor.skip(","):
        values.append(_read_quoted_item(cursor))
    cursor.require(")")
    skip_space(cursor)
    return () if values == [""] else tuple(values)


def _read_value(cursor: Cursor) -> str:
    """Read a value inside and() or or(): quoted, an array literal, or up to `,` or `)`."""
    start = cursor.position
    array = cursor.take(_ARRAY)
    if array and cursor.take(_ITEM_END) is not None:
        return array[0]
    cursor.position = start
    return _read_quoted_item(cursor)


def _read_quoted_item(cursor: Cursor) -> str:
    start = cursor.position
    quoted = read_quoted(cursor)
    if quoted is not None and cursor.take(_ITEM_END) is not None:
        return quoted
    cursor.position = start
    found = cursor.take(_LIST_ITEM)
    return found[0] if found else ""
