"""Names, quoted texts and JSON paths: what every other part of the grammar is made of."""

import re
from typing import Final

from db_api.grammar.ast import Field, JsonStep
from db_api.grammar.cursor import Cursor

_NAME: Final = re.compile(r"[\w $]+(?:-(?!>)[\w $]+)*")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_ARROW: Final = re.compile(r"->(>?)")
_INDEX: Final = re.compile(r"(-?[0-9]{1,10})(?=->|::|[.,) \t]|\Z)")
_KEY: Final = re.compile(r"[^(\-:.,>)]+(?:-(?!>)[^(\-:.,>)]+)*")
_SPACE: Final = re.compile(r"[ \t]*")
_COMMA: Final = re.compile(r"[ \t]*,[ \t]*")


def read_quoted(cursor: Cursor) -> str | None:
    """Read a text in double quotes, if one stands here; a backslash escapes any character."""
    found = cursor.take(_QUOTED)
    return _ESCAPED.sub(r"\1", found[1]) if found else None


def read_name(cursor: Cursor) -> str:
    """Read the name of a column: letters, digits, `_`, `$`, spaces and dashes, or quoted text.

    Raises:
        RestError: none stands here.
    """
    quoted = read_quoted(cursor)
    if quoted is not None:
        return quoted
    found = cursor.take(_NAME)
    if not found:
        raise cursor.unexpected("field name (* or [a..z0..9_$])")
    return found[0].strip()


def read_path(cursor: Cursor) -> tuple[JsonStep, ...]:
    """Read the steps of a JSON path, which may be none.

    Raises:
        RestError: nothing follows an arrow.
    """
    steps = []
    while arrow := cursor.take(_ARROW):
        steps.append(JsonStep(_read_operand(cursor), as_text=bool(arrow[1])))
    return tuple(steps)


def _read_operand(cursor: Cursor) -> str | int:
    index = cursor.take(_INDEX)
    if index:
        return int(index[1])
    quoted = read_quoted(cursor)
    if quoted is not None:
        return quoted
    found = cursor.take(_KEY)
    if not found:
        raise cursor.unexpected("any non reserved character different from: .,>()")
    return found[0].strip()


def read_field(cursor: Cursor) -> Field:
    """Read a column with its JSON path, spaces around it allowed.

    Raises:
        RestError: none stands here.
    """
    skip_space(cursor)
    field = Field(read_name(cursor), read_path(cursor))
    skip_space(cursor)
    return field


def skip_space(cursor: Cursor) -> None:
    """Read spaces and tabs, if any."""
    cursor.take(_SPACE)


def skip_comma(cursor: Cursor) -> bool:
    """Read a comma with the spaces around it, if it stands here."""
    return cursor.take(_COMMA) is not None


def read_names(text: str, subject: str) -> tuple[str, ...]:
    """Read a list of names, as in `columns=` and `on_conflict=`, each once.

    Raises:
        RestError: it is not one.
    """
    cursor = Cursor(text, subject)
    names = [read_name(cursor)]
    while skip_comma(cursor):
        names.append(read_name(cursor))
    cursor.require_end('"," or end of input')
    return tuple(dict.fromkeys(names))
