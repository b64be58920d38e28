"""The first word of a statement, which in PostgreSQL tells its kind.

This contains nothing: it is there to say so when a statement could not do here what it does in a
session. The lexer's rules are those of `scan.l`: white space, `--` to the end of the line, and
`/* */`, which nests; an empty statement before a `;` is none.
"""

import re
from typing import Final

from db_api.errors import StatementUnsupportedError
from db_api.user_sql.refusals import copy_refused

_BLANK: Final = re.compile(r"[ \t\n\r\f\v;]+|--[^\n\r]*")
_COMMENT_EDGE: Final = re.compile(r"/\*|\*/")
_WORD: Final = re.compile(r"[A-Za-z]+")

_OF_TRANSACTIONS: Final = frozenset(
    {"abort", "begin", "commit", "end", "prepare", "release", "rollback", "savepoint", "start"}
)
_OF_SESSIONS: Final = frozenset(
    {
        *("close", "deallocate", "declare", "discard", "execute", "fetch", "listen", "load"),
        *("lock", "move", "reset", "set", "unlisten"),
    }
)


def first_word(sql: str) -> str:
    """Return the first word in lower case, empty when the text begins otherwise."""
    position = 0
    while True:
        if blank := _BLANK.match(sql, position):
            position = blank.end()
        elif sql.startswith("/*", position):
            position = _end_of_comment(sql, position)
        else:
            word = _WORD.match(sql, position)
            return word[0].lower() if word else ""


def require_useful(sql: str) -> None:
    """Refuse what would do nothing, or not what its writer expects.

    Raises:
        StatementUnsupportedError: it steers a transaction or a session, or is a COPY.
    """
    word = first_word(sql)
    if word in _OF_TRANSACTIONS:
        raise StatementUnsupportedError(
            f"{word.upper()} does nothing here.",
            hint="Each statement is a transaction of its own, committed when it succeeds.",
        )
    if word in _OF_SESSIONS:
        raise StatementUnsupportedError(
            f"{word.upper()} does nothing here.",
            hint="Each statement has a connection of its own, which ends with it.",
        )
    if word == "copy":
        raise copy_refused()


def _end_of_comment(sql: str, position: int) -> int:
    depth = 0
    for edge in _COMMENT_EDGE.finditer(sql, position):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(sql)
