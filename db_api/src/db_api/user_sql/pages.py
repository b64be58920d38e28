"""Rows on their way to the client: as many as its limits let pass, written as they come.

Nothing but the written row is kept. A cell as a Python object costs many times its text, and a
result of two million empty cells fits into a few megabytes of the wire.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from db_api.user_sql.channel import RowTaker
from db_api.user_sql.wire import Row

_BOOL, _INT8, _INT2, _INT4, _OID = 16, 20, 21, 23, 26
_JSON, _JSONB, _FLOAT4, _FLOAT8 = 114, 3802, 700, 701
_MAX_EXACT: Final = 2**53 - 1
"""The largest integer up to which every reader of JSON keeps every integer (RFC 8259, 6)."""
_ODD_FLOATS: Final = frozenset((b"NaN", b"Infinity", b"-Infinity"))
_BOOLS: Final = {b"t": b"true", b"f": b"false"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result.

    Attributes:
        name: the second `x` of a result is called `x_1`.
        type: as PostgreSQL writes it, such as `numeric(10,2)`.
        type_oid: of that type.
    """

    name: str
    type: str
    type_oid: int


@dataclass(frozen=True, slots=True)
class PageLimits:
    """How much of a result is kept.

    Attributes:
        max_rows: of the result.
        max_bytes: of them as they are written.
    """

    max_rows: int
    max_bytes: int


class Page(RowTaker):
    """Takes rows and writes them until a limit is reached.

    Args:
        limits: what is kept.
        needs_end: rows beyond a limit are still waited for, since a write must run to its end.

    Attributes:
        rows: as they were written.
        is_truncated: a limit left some out.
        first_is_too_large: there was no room for even one.
    """

    def __init__(self, limits: PageLimits, *, needs_end: bool) -> None:
        self.rows: list[bytes] = []
        self.is_truncated = False
        self.first_is_too_large = False
        self._limits = limits
        self._left_bytes = self.max_row_bytes = limits.max_bytes
        self._needs_end = needs_end
        self._write: Callable[[Row], bytes] = _write_texts

    def begin(self, columns: tuple[Column, ...]) -> None:
        """Learn the columns, before the first row."""

    def take(self, row: Row) -> bool:
        """Keep a row, or leave it and all after it."""
        if self.is_truncated:
            return True
        if len(self.rows) == self._limits.max_rows:
            self._truncate()
            return True  # where more are not wanted, no more were asked for
        written = self._write(row)
        self._left_bytes -= len(written)
        if self._left_bytes < 0:
            return self.pass_over()
        self.rows.append(written)
        return True

    def pass_over(self) -> bool:
        """Leave a row that is too large, and all after it."""
        if not self.is_truncated:
            self.first_is_too_large = not self.rows
            self._truncate()
        return self._needs_end

    def _truncate(self) -> None:
        self.is_truncated = True
        self.max_row_bytes = 0


class JsonPage(Page):
    """Writes each row as a JSON object."""

    def begin(self, columns: tuple[Column, ...]) -> None:
        """Learn the members of the objects."""
        keys = [_quoted(column.name) + b":" for column in columns]
        writers = [_WRITERS.get(column.type_oid, _write_text) for column in columns]
        members = tuple(zip(keys, writers, strict=True))

        def write(row: Row) -> bytes:
            cells = zip(members, row, strict=True)
            return b"{%b}" % b",".join(
                key + (b"null" if value is None else write_value(value))
                for (key, write_value), value in cells
            )

        self._write = write


def distinct_names(names: Iterable[str]) -> list[str]:
    """Give every column a name of its own: of two called `x` the second becomes `x_1`."""
    names = list(names)
    taken, counts, distinct = set(names), dict.fromkeys(names, 0), []
    for name in names:
        candidate = name
        while counts[name] and candidate in taken:
            candidate = f"{name}_{counts[name]}"
            counts[name] += 1
        counts[name] = counts[name] or 1
        taken.add(candidate)
        distinct.append(candidate)
    return distinct


def _write_texts(row: Row) -> bytes:
    return b"[%b]" % b",".join(b"null" if value is None else _write_text(value) for value in row)


def _write_text(value: bytes) -> bytes:
    return _quoted(value.decode("utf-8", "replace"))


def _write_bool(value: bytes) -> bytes:
    return _BOOLS.get(value) or _write_text(value)


def _write_int8(value: bytes) -> bytes:
    return value if abs(int(value)) <= _MAX_EXACT else b'"%b"' % value


def _write_float(value: bytes) -> bytes:
    return _write_text(value) if value in _ODD_FLOATS else value


def _as_it_is(value: bytes) -> bytes:
    return value


def _write_json(value: bytes) -> bytes:
    return value.decode("utf-8", "replace").encode()


def _quoted(text: str) -> bytes:
    return json.dumps(text, ensure_ascii=False).encode()


_WRITERS: Final[dict[int, Callable[[bytes], bytes]]] = {
    _BOOL: _write_bool,
    _INT2: _as_it_is,
    _INT4: _as_it_is,
    _INT8: _write_int8,
    _OID: _as_it_is,
    _FLOAT4: _write_float,
    _FLOAT8: _write_float,
    _JSON: _write_json,
    _JSONB: _write_json,
}
