"""What PostgreSQL says of a statement that it refuses."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from db_api.errors import StatementUnsupportedError
from db_api.rest_errors import Details, RestError

_MAX_TEXT: Final = 2000
"""Characters of a message, of details, of a hint: PostgreSQL quotes values of any length."""
_CONSTRAINT: Final = "23"
_RAISED_STATUS: Final = re.compile(r"PT\d{3}")


class StatementRefusedError(RestError):
    """PostgreSQL refused a statement; its code is the SQLSTATE.

    Attributes:
        position: of the mistake in the text that was sent, in characters, 1 for the first.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        details: Details = None,
        hint: str | None = None,
        position: int | None = None,
    ) -> None:
        super().__init__(code, message, details=details, hint=hint)
        self.position = position

    @property
    def status(self) -> int:
        """The HTTP status; a function may choose it under `/rest/v1` alone."""
        if _RAISED_STATUS.fullmatch(self.code):
            return HTTPStatus.BAD_REQUEST
        return super().status

    def replaced(
        self, *, details: Details, hint: str | None, position: int | None
    ) -> "StatementRefusedError":
        """Return the same with other details, hint and position."""
        return StatementRefusedError(
            self.code, self.message, details=details, hint=hint, position=position
        )

    def without_rows(self) -> "StatementRefusedError":
        """Return the same without the row that broke a constraint."""
        if not self.code.startswith(_CONSTRAINT):
            return self
        return self.replaced(details=None, hint=self.hint, position=self.position)


def refusal(fields: Mapping[str, str]) -> StatementRefusedError:
    """Make the error that the fields of PostgreSQL's message describe."""
    position = fields.get("P", "")
    return StatementRefusedError(
        fields.get("C", "XX000"),
        _cut(fields.get("M", "PostgreSQL refused the statement.")) or "",
        details=_cut(fields.get("D")),
        hint=_cut(fields.get("H")),
        position=int(position) if position.isdecimal() else None,
    )


def copy_refused() -> StatementUnsupportedError:
    """Make the error for a COPY, which speaks a protocol of its own."""
    return StatementUnsupportedError(
        "COPY is not served here.",
        hint="Read with SELECT and write with INSERT; `db-api import` and `export` copy files.",
    )


def _cut(text: str | None) -> str | None:
    if text is None or len(text) <= _MAX_TEXT:
        return text
    return f"{text[:_MAX_TEXT]}…"
