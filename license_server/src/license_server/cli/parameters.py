"""Parameters that are more than text: functions that click calls with what was typed."""

from datetime import UTC, datetime, timedelta
from typing import Final

import click

_MAX_DIGITS: Final = 6


def date(text: str) -> datetime:
    """Read a date (its first second, UTC) or an instant with its offset; return it in UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter("expected 2027-01-31 or 2027-01-31T12:00:00Z") from error
    return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)


def days(text: str) -> timedelta:
    """Read a whole number of days."""
    return timedelta(days=_number(text))


def hours(text: str) -> timedelta:
    """Read a whole number of hours."""
    return timedelta(hours=_number(text))


def limit(text: str) -> tuple[str, int]:
    """Read a name and a whole number: `seats=25`."""
    name, _, number = text.partition("=")
    return name, _number(number)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise click.BadParameter(f"a whole number of at most {_MAX_DIGITS} digits is expected")
    return int(text)
