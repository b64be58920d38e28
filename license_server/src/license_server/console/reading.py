"""From what people type into forms to what the API takes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta

from license_server.errors import FieldError, InvalidField
from license_server.spans import read_number, read_span
from license_server.web.requests import Fields

_DAY_SECONDS = 86_400


def instant_of(name: str, text: str) -> str:
    """Return the beginning of a day that was typed or picked, UTC.

    Raises:
        InvalidField: it is none.
    """
    try:
        on = datetime.combine(datetime.fromisoformat(text).date(), time(), UTC)
    except ValueError as error:
        raise InvalidField(FieldError(name, "a day like 2027-01-31 is expected")) from error
    return on.strftime("%Y-%m-%dT%H:%M:%SZ")


def ending_of(form: Fields) -> Mapping[str, object]:
    """Return the end that a form asks for; nothing = as the product's policy says.

    Raises:
        InvalidField: the day or the number of days is none.
    """
    how = form.get("ends")
    if how == "on":
        return {"expires_at": instant_of("expires_at", form.get("expires_at"))}
    if how == "after":
        return {"lasts_seconds": days_of("lasts_days", form.get("lasts_days"))}
    return {}


def days_of(name: str, text: str) -> int:
    """Return days as seconds.

    Raises:
        InvalidField: it is no whole number of them.
    """
    return number_of(name, text) * _DAY_SECONDS


def number_of(name: str, text: str) -> int:
    """Return a whole number.

    Raises:
        InvalidField: it is none.
    """
    try:
        return read_number(text)
    except ValueError as error:
        raise InvalidField(FieldError(name, str(error))) from error


def seconds_of(name: str, text: str) -> int:
    """Return a length of time such as `14d` in seconds.

    Raises:
        InvalidField: it is none.
    """
    try:
        return int(read_span(text) / timedelta(seconds=1))
    except ValueError as error:
        raise InvalidField(FieldError(name, str(error))) from error


def pairs_of(form: Fields, name: str) -> Mapping[str, str]:
    """Return what was typed as lines of `name: text`.

    Raises:
        InvalidField: a line is none.
    """
    return dict(_pair(name, line) for line in form.lines(name))


def names_of(form: Fields, name: str) -> Sequence[str]:
    """Return names that were typed one a line, or with commas or blanks between them."""
    return form.get(name).replace(",", " ").split()


def _pair(name: str, line: str) -> tuple[str, str]:
    key, colon, text = line.partition(":")
    if not colon:
        raise InvalidField(FieldError(name, "lines of the form name: text are expected"))
    return key.strip(), text.strip()
