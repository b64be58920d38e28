"""The keys of a query string: `name`, `rel.nested.name->>key`, `rel.order`, `rel.not.or`.

Which of them mean something else than a filter is decided by their last name, which stands in
quotes where a column is called so.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from db_api.grammar.ast import Field, Path
from db_api.grammar.cursor import Cursor
from db_api.grammar.fields import read_name, read_path
from db_api.identifiers import MAX_NAME_BYTES

CLAUSES: Final = frozenset({"order", "limit", "offset"})
LOGIC: Final = frozenset({"and", "or"})


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the query string.

    Attributes:
        path: the embedded resource that it is about.
        word: `order`, `limit`, `offset`, `and`, `or`, `not.and` or `not.or`; None for a filter.
        field: what a filter is about.
    """

    path: Path
    word: str | None
    field: Field


def is_clause(key: str) -> bool:
    """Tell whether a key means something else than a filter or an argument."""
    return key.rpartition(".")[2] in CLAUSES | LOGIC


def read_key(key: str) -> Key:
    """Read a key that is not one of the query string's own.

    Raises:
        RestError: it names nothing.
    """
    return _read_short(key) if len(key) <= MAX_NAME_BYTES else _read(key)


@lru_cache(maxsize=1024)  # the same few keys come with every request
def _read_short(key: str) -> Key:
    return _read(key)


def _read(key: str) -> Key:
    cursor = Cursor(key, f"failed to parse tree path ({key})")
    names: list[str] = []
    is_quoted = cursor.sees('"')
    name = read_name(cursor)
    while cursor.skip("."):
        names.append(name)
        is_quoted = cursor.sees('"')
        name = read_name(cursor)
    field = Field(name, read_path(cursor))
    cursor.require_end('delimiter (.), "->>", "->" or end of input')
    if is_quoted or field.path or name not in CLAUSES | LOGIC:
        return Key(tuple(names), None, field)
    if name in LOGIC and "not" in names:
        names.remove("not")
        return Key(tuple(names), f"not.{name}", field)
    return Key(tuple(names), name, field)
