"""The only maker of SQL names and literals.

PostgreSQL cuts a longer name silently at 63 bytes and then names another table, so length is
checked here as well as the characters that no name can hold.
"""

import re
from typing import Final, NewType

SqlName = NewType("SqlName", str)
"""A quoted name, optionally qualified, that may stand in the text of a statement."""

MAX_NAME_BYTES: Final = 63
"""NAMEDATALEN - 1 of every PostgreSQL build in use."""

_CREATABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


class InvalidNameError(ValueError):
    """Say that a text cannot be a name in PostgreSQL."""


def is_creatable(name: str) -> bool:
    """Tell whether a name may be given to something new; existing names may be any text."""
    return _CREATABLE.fullmatch(name) is not None


def quote(name: str) -> SqlName:
    """Quote one name, whatever it holds.

    Raises:
        InvalidNameError: it is empty, longer than 63 bytes, or holds a NUL or a lone surrogate.
    """
    if not name or "\0" in name:
        raise InvalidNameError("a name holds at least one character and no NUL")
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise InvalidNameError("a name is valid Unicode text") from None
    if size > MAX_NAME_BYTES:
        raise InvalidNameError(f"a name has at most {MAX_NAME_BYTES} bytes, this one {size}")
    return SqlName('"' + name.replace('"', '""') + '"')


def qualify(schema: str, name: str) -> SqlName:
    """Quote a name together with its schema.

    Raises:
        InvalidNameError: as `quote`.
    """
    return SqlName(f"{quote(schema)}.{quote(name)}")


def quote_literal(text: str) -> str:
    """Quote a text as a value, whatever the session's `standard_conforming_strings`.

    Raises:
        ValueError: it holds a NUL, which no text of PostgreSQL's can.
    """
    if "\0" in text:
        raise ValueError("a text holds no NUL")
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'"
