"""Members that several endpoints have, and their way to and from values."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, PlainSerializer
from pydantic.config import JsonValue
from pydantic.fields import FieldInfo

from license_server import base64url
from license_server.api.endpoints import Document, Members
from license_server.errors import FieldError, InvalidField
from license_server.licenses import LONGEST
from license_server.products import CODE, NAME_OF_RIGHT
from license_server.stores import Position

DEFAULT_PAGE: Final = 50
LARGEST_PAGE: Final = 500

_FIRST_YEAR: Final = 1970
_IS_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d")


def seconds_of(length: timedelta) -> int:
    """Return the whole seconds of a span."""
    return int(length.total_seconds())


def exactly(pattern: re.Pattern[str]) -> str:
    """Return the pattern of a schema whose texts match as a whole."""
    return rf"^{pattern.pattern}(?!\n)$"


def told(**keywords: JsonValue) -> FieldInfo:
    """Tell in a schema of a rule that is judged, and its refusal worded, further in."""
    field: FieldInfo = Field(json_schema_extra=keywords)
    return field


def told_span(least: timedelta, most: timedelta) -> FieldInfo:
    """Tell in a schema within which bounds a span in whole seconds is."""
    return told(minimum=seconds_of(least), maximum=seconds_of(most))


def _in_utc(at: datetime) -> datetime:
    try:
        moved = at.astimezone(UTC)
    except OverflowError:
        moved = None
    if moved is None or moved.year < _FIRST_YEAR:
        raise ValueError(f"an instant from {_FIRST_YEAR} to 9999 is expected")
    return moved.replace(microsecond=0)


def _spelled_as_instant(value: object) -> object:
    """Refuse the numbers that pydantic takes for instants in a query."""
    if isinstance(value, str) and not _IS_INSTANT.match(value):
        raise ValueError("a date and time like 2027-01-31T12:00:00Z is expected")
    return value


Seconds = Annotated[int, Field(ge=0, le=seconds_of(LONGEST))]
"""A span in whole seconds."""

Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A date and time with its offset; kept in UTC and whole seconds."""

QueryInstant = Annotated[
    AwareDatetime, BeforeValidator(_spelled_as_instant), AfterValidator(_in_utc)
]
"""The same in a query."""

Id = Annotated[str, Field(pattern="^[A-Za-z0-9_]{1,40}$")]
"""Of a license, an owner or whatever has one."""

ProductCode = Annotated[str, told(pattern=exactly(CODE))]
Entitlement = Annotated[str, told(pattern=exactly(NAME_OF_RIGHT))]
PrintableName = Annotated[str, told(format="printable", minLength=1, maxLength=100)]
"""1 to 100 printable characters."""

EmailText = Annotated[str, Field(max_length=320, json_schema_extra={"format": "email"})]
DomainText = Annotated[str, Field(max_length=320, json_schema_extra={"format": "hostname"})]

Shown = Annotated[
    datetime, PlainSerializer(lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ"), return_type=str)
]
"""An instant as it is answered: RFC 3339, UTC, whole seconds."""


class PageQuery(Members):
    """Which part of a list is asked for."""

    limit: int = Field(default=DEFAULT_PAGE, ge=1, le=LARGEST_PAGE)
    cursor: Annotated[str, Field(max_length=200, json_schema_extra={"format": "cursor"})] | None = (
        None
    )

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


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError("whole seconds are expected")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise TypeError("an id is expected")
    return value
