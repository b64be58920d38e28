"""Parameters that are more than text: functions that click calls with what was typed."""

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

import click

_MAX_DIGITS: Final = 6
_UNITS: Final = MappingProxyType(
    {
        "d": timedelta(days=1),
        "h": timedelta(hours=1),
        "m": timedelta(minutes=1),
        "s": timedelta(seconds=1),
    }
)


def date(text: str) -> datetime:
    """Read a date (its first second, UTC) or an instant with its offset; return it in UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter("expected 2027-01-31 or 2027-01-31T12:00:00Z") from error
    return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)


def span(text: str) -> timedelta:
    """Read a length of time, as `span_text` writes it: `90s`, `30m`, `6h` or `14d`."""
    number, unit = text[:-1], _UNITS.get(text[-1:])
    if unit is None:
        raise click.BadParameter("a number and s, m, h or d is expected, such as 6h or 14d")
    return _number(number) * unit


def span_text(length: timedelta) -> str:
    """Write a length of whole seconds in the largest unit that fits."""
    letter = next(letter for letter, unit in _UNITS.items() if not length % unit)
    return f"{length // _UNITS[letter]}{letter}"


def limit(text: str) -> tuple[str, int]:
    """Read a name and a whole number: `seats=25`."""
    name, _, number = text.partition("=")
    return name, _number(number)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise click.BadParameter(f"a whole number of at most {_MAX_DIGITS} digits is expected")
    return int(text)


def seconds(length: timedelta | None) -> int | None:
    """Return a span as requests hold it; None stays None."""
    return None if length is None else int(length.total_seconds())


def instant(at: datetime | None) -> str | None:
    """Return an instant as requests hold it; None stays None."""
    return None if at is None else at.isoformat()


def pair(text: str) -> tuple[str, str]:
    """Read a name and a text: `order=2041`."""
    name, sign, value = text.partition("=")
    if not sign:
        raise click.BadParameter("NAME=TEXT is expected")
    return name, value
