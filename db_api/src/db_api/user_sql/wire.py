"""The messages of PostgreSQL's protocol, version 3, that one statement needs. Pure.

Values travel as text in both directions, so that a number is what PostgreSQL writes, digit for
digit, and no type needs to be known. Source: the PostgreSQL manual, "Message Formats".
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

Row = Sequence[bytes | None]
"""The values of a row as PostgreSQL's text, None for NULL."""

HEADER_BYTES: Final = 5
"""A message's kind, and its length without the kind."""

_LENGTH: Final = struct.Struct("!i")
_COUNT: Final = struct.Struct("!H")
_COLUMN: Final = struct.Struct("!IhIhih")  # table, attribute, type, size, modifier, format
_NULL: Final = _LENGTH.pack(-1)


@dataclass(frozen=True, slots=True)
class WireColumn:
    """A column of a result.

    Attributes:
        type_oid: of its type; of the type under it for a domain.
        type_modifier: such as the length of a varchar; -1 for none.
    """

    name: str
    type_oid: int
    type_modifier: int


def query(sql: str) -> bytes:
    """Ask for statements of our own, one or several; what users write never comes this way."""
    return _message(b"Q", _text(sql))


def prepare(name: str, sql: str) -> bytes:
    """Prepare one statement, and ask for its parameters and columns.

    Under a name, since a simple query puts an end to the one without.
    """
    prepared = _text(name) + _text(sql) + _COUNT.pack(0)
    return _message(b"P", prepared) + _message(b"D", b"S" + _text(name))


def execute(name: str, parameters: Row) -> bytes:
    """Run a prepared statement; every value of its result comes as text."""
    values = b"".join(
        _NULL if value is None else _LENGTH.pack(len(value)) + value for value in parameters
    )
    bound = (
        b"\0"
        + _text(name)
        + _COUNT.pack(0)
        + _COUNT.pack(len(parameters))
        + values
        + _COUNT.pack(0)
    )
    return _message(b"B", bound) + _message(b"E", b"\0" + _LENGTH.pack(0))


SYNC: Final = b"S" + _LENGTH.pack(4)
"""Ask for everything up to here; after an error the rest up to here is left out."""

TERMINATE: Final = b"X" + _LENGTH.pack(4)


def read_parameter_types(body: bytes) -> tuple[int, ...]:
    """Read the types of a statement's parameters."""
    return struct.unpack_from(f"!{_COUNT.unpack_from(body)[0]}I", body, 2)


def read_columns(body: bytes) -> tuple[WireColumn, ...]:
    """Read the columns of a result."""
    columns = []
    position = 2
    for _ in range(_COUNT.unpack_from(body)[0]):
        end = body.index(b"\0", position)
        _, _, type_oid, _, modifier, _ = _COLUMN.unpack_from(body, end + 1)
        columns.append(WireColumn(_decoded(body[position:end]), type_oid, modifier))
        position = end + 1 + _COLUMN.size
    return tuple(columns)


def read_row(body: bytes) -> Row:
    """Read the values of a row."""
    values: list[bytes | None] = []
    position = 2
    for _ in range(_COUNT.unpack_from(body)[0]):
        (length,) = _LENGTH.unpack_from(body, position)
        position += 4
        if length < 0:
            values.append(None)
            continue
        values.append(body[position : position + length])
        position += length
    return values


def read_fields(body: bytes) -> dict[str, str]:
    """Read the fields of an error by their one-letter names; the last may be cut short."""
    fields = (part for part in body.split(b"\0") if part)
    return {part[:1].decode("latin-1"): _decoded(part[1:]) for part in fields}


def read_setting(body: bytes) -> tuple[str, str]:
    """Read the name and value of a setting that changed."""
    name, value, _ = body.split(b"\0", 2)
    return _decoded(name), _decoded(value)


def read_tag(body: bytes) -> str:
    """Read what was done, as `INSERT 0 5`."""
    return _decoded(body.rstrip(b"\0"))


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + _LENGTH.pack(len(body) + 4) + body


def _text(text: str) -> bytes:
    return text.encode() + b"\0"


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")
