"""A whole query string, read into a `Query`."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote_to_bytes

from db_api.grammar.ast import Clauses, Condition, Logic, OrderTerm, Path, Query
from db_api.grammar.fields import read_names
from db_api.grammar.filters import is_filter, read_filter, read_logic
from db_api.grammar.keys import Key, is_clause, read_key
from db_api.grammar.order import read_order
from db_api.grammar.select import read_select
from db_api.rest_errors import RestError

MAX_FILTERS: Final = 100
MAX_BIGINT: Final = 2**63 - 1
_OWN_KEYS: Final = frozenset({"select", "columns", "on_conflict", "_all", "_after"})
_INTEGER: Final = re.compile(r"-?[0-9]+")


def read_query(query_string: bytes, *, has_arguments: bool = False) -> Query:
    """Read the query string of a request.

    Args:
        query_string: as it came.
        has_arguments: what is no filter is an argument of a function.

    Raises:
        RestError: any part of it is malformed, over a limit or not served.
    """
    own: dict[str, str] = {}
    arguments: list[tuple[str, str]] = []
    parts: dict[Path, _Parts] = {(): _Parts()}
    for name, value in _read_pairs(query_string):
        if name in _OWN_KEYS:
            own.setdefault(name, value)
        elif has_arguments and not is_clause(name) and not is_filter(value):
            arguments.append((name, value))
        else:
            key = read_key(name)
            parts.setdefault(key.path, _Parts()).add(key, value)
    _require_few(parts.values())
    root, *embedded = ((path, some.clauses()) for path, some in parts.items())
    return Query(
        select=read_select(own.get("select", "")),
        where=root[1].where,
        order=root[1].order,
        limit=root[1].limit,
        offset=root[1].offset,
        columns=_read_names("columns", own.get("columns")),
        on_conflict=_read_names("on_conflict", own.get("on_conflict")),
        embedded=dict(embedded),
        arguments=tuple(arguments),
        after=own.get("_after"),
        is_about_all=own.get("_all") == "true",
    )


def _read_names(parameter: str, text: str | None) -> tuple[str, ...] | None:
    return read_names(text, f"failed to parse {parameter} parameter ({text})") if text else None


class _Parts:
    """What the query string says of one resource, while it is read."""

    __slots__ = ("limit", "offset", "order", "where")

    def __init__(self) -> None:
        self.where: list[Condition] = []
        self.order: list[OrderTerm] = []
        self.limit: int | None = None
        self.offset: int | None = None

    def add(self, key: Key, value: str) -> None:
        if key.word is None:
            self.where.append(read_filter(key.field, value))
        elif key.word == "order":
            self.order += read_order(value) if value else ()
        elif key.word == "limit":
            limit = _read_limit(value)
            self.limit = limit if self.limit is None else self.limit
        elif key.word == "offset":
            offset = max(_read_integer("offset", value), 0)
            self.offset = offset if self.offset is None else self.offset
        else:
            self.where.append(read_logic(key.word, value))

    def clauses(self) -> Clauses:
        return Clauses(tuple(self.where), tuple(self.order), self.limit, self.offset or 0)


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


def _require_few(parts: Iterable[_Parts]) -> None:
    if sum(_count(some.where) for some in parts) > MAX_FILTERS:
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
