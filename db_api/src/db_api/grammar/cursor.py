"""A place in a text that is being parsed, and the errors that name it."""

import re

from db_api.rest_errors import RestError


class Cursor:
    """A text and how far it was read.

    Args:
        text: what is parsed.
        subject: what it is, for the error: `failed to parse filter (…)`.
    """

    __slots__ = ("position", "subject", "text")

    def __init__(self, text: str, subject: str) -> None:
        self.text = text
        self.subject = subject
        self.position = 0

    @property
    def at_end(self) -> bool:
        """Tell whether everything was read."""
        return self.position >= len(self.text)

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Read what a pattern matches here, which may be nothing."""
        found = pattern.match(self.text, self.position)
        if found:
            self.position = found.end()
        return found

    def skip(self, literal: str) -> bool:
        """Read a literal if it stands here."""
        found = self.text.startswith(literal, self.position)
        if found:
            self.position += len(literal)
        return found

    def sees(self, literal: str) -> bool:
        """Tell whether a literal stands here."""
        return self.text.startswith(literal, self.position)

    def require(self, literal: str) -> None:
        """Read a literal that must stand here.

        Raises:
            RestError: something else stands here.
        """
        if not self.skip(literal):
            raise self.unexpected(f'"{literal}"')

    def require_end(self, otherwise: str) -> None:
        """Stop unless everything was read.

        Raises:
            RestError: there is more.
        """
        if not self.at_end:
            raise self.unexpected(otherwise)

    def unexpected(self, expected: str) -> RestError:
        """Make the error for this place, in PostgREST's form."""
        line = self.text.count("\n", 0, self.position) + 1
        column = self.position - self.text.rfind("\n", 0, self.position)
        here = "end of input" if self.at_end else f'"{self.text[self.position]}"'
        return RestError(
            "PGRST100",
            f'"{self.subject}" (line {line}, column {column})',
            details=f"unexpected {here} expecting {expected}",
        )
