"""A whole query string, read into a `Query`."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote_to_bytes

from db_api.grammar.ast import Condition, Logic, OrderTerm, Query
from db_api.grammar.fields import read_names
from db_api.grammar.filters import read_filter, read_logic
from db_api.grammar.order import read_order
from db_api.grammar.select import read_select
from db_api.rest_errors import RestError, not_supported

MAX_FILTERS: Final = 100
MAX_BIGINT: Final = 2**63 - 1
_LOGIC_KEYS: Final = frozenset({"and", "or", "not.and", "not.or"})
_INTEGER: Final = re.compile(r"-?[0-9]+")


def read_query(query_string: bytes) -> Query:
    """Read the query string of a request, as it came.

    Raises:
        RestError: any part of it is malformed, over a limit or not served.
    """
    first: dict[str, str] = {}
    where: list[Condition] = []
    order: list[OrderTerm] = []
    for key, value in _read_pairs(query_string):
        if key in {"select", "columns", "limit", "offset"}:
            first.setdefault(key, value)
        elif key == "order":
            order += read_order(value) if value else ()
        elif key in _LOGIC_KEYS:
            where.append(read_logic(key, value))
        elif key == "on_conflict":
            raise not_supported("on_conflict=")
        else:
            where.append(read_filter(key, value))
    _require_few(where)
    columns = first.get("columns")
    return Query(
        select=read_select(first.get("select", "")),
        where=tuple(where),
        order=tuple(order),
        limit=_read_limit(first["limit"]) if "limit" in first else None,
        offset=max(_read_integer("offset", first["offset"]), 0) if "offset" in first else 0,
        columns=read_names(columns, f"failed to parse columns parameter ({columns})")
        if columns
        else None,
    )


def _read_pairs(query_string: bytes) -> Iterable[tuple[str, str]]:
    for pair in query_string.split(b"&"):
        if pair:
            key, _, value = pair.partition(b"=")
            yield _decode(key), _decode(value)


def _decode(encoded: bytes) -> str:
    try:
        return unquote_to_bytes(encoded.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        raise RestError("PGRST100", "The query string is not percent-encoded UTF-8 text") from None


def _require_few(where: Iterable[Condition]) -> None:
    if _count(where) > MAX_FILTERS:
        raise RestError(
            "DBAPI400",
            "The request has too many filters",
            details=f"At most {MAX_FILTERS} are allowed.",
            hint="Use in.(…) to compare with many values.",
        )


def _count(conditions: Iterable[Condition]) -> int:
    return sum(
        _count(condition.operands) if isinstance(condition, Logic) else 1
        for condition in conditions
    )


def _read_limit(text: str) -> int:
    limit = _read_integer("limit", text)
    if limit < 0:
        raise RestError(
            "PGRST103",
            "Requested range not satisfiable",
            details="Limit should be greater than or equal to zero.",
        )
    return limit


def _read_integer(name: str, text: str) -> int:
    if _INTEGER.fullmatch(text) is None:
        raise RestError("PGRST100", f'"failed to parse {name} parameter ({text})"')
    return min(int(text[:20]), MAX_BIGINT)
