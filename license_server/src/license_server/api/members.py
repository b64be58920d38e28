"""Members that several endpoints have, and their way to and from values."""

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, Field, PlainSerializer

from license_server import base64url
from license_server.api.endpoints import Document, Members
from license_server.errors import FieldError, InvalidField
from license_server.stores import Position

MAX_SECONDS: Final = 100 * 366 * 86_400
DEFAULT_PAGE: Final = 50
LARGEST_PAGE: Final = 500

Seconds = Annotated[int, Field(ge=0, le=MAX_SECONDS)]
"""A span in whole seconds."""

Instant = Annotated[
    AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC).replace(microsecond=0))
]
"""A date and time with its offset; kept in UTC and whole seconds."""

Shown = Annotated[
    datetime, PlainSerializer(lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ"), return_type=str)
]
"""An instant as it is answered: RFC 3339, UTC, whole seconds."""

ShortText = Annotated[str, Field(max_length=320)]


class PageQuery(Members):
    """Which part of a list is asked for."""

    limit: int = Field(default=DEFAULT_PAGE, ge=1, le=LARGEST_PAGE)
    cursor: str | None = Field(default=None, max_length=200)

    def after(self) -> Position | None:
        """Return the position behind which the page begins.

        Raises:
            InvalidField: the cursor is none that a page ended with.
        """
        if self.cursor is None:
            return None
        try:
            seconds, row_id = json.loads(base64url.decode(self.cursor))
            return Position(datetime.fromtimestamp(_whole(seconds), UTC), _text(row_id))
        except (ValueError, TypeError, OverflowError, OSError, RecursionError) as error:
            expected = "the next_cursor of the page before is expected"
            raise InvalidField(FieldError("cursor", expected)) from error


class Page(Document):
    """What all pages of lists have."""

    next_cursor: str | None


def cursor_of(at: datetime, row_id: str) -> str:
    """Return the cursor of a page that ends with a row."""
    return base64url.encode(json.dumps([int(at.timestamp()), row_id]).encode("ascii"))


def span(seconds: int | None) -> timedelta | None:
    """Return a span; None stays None."""
    return None if seconds is None else timedelta(seconds=seconds)


def seconds_of(length: timedelta) -> int:
    """Return the whole seconds of a span."""
    return int(length.total_seconds())


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError("whole seconds are expected")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise TypeError("an id is expected")
    return value
