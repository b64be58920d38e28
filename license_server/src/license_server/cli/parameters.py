"""Parameters that are more than text: functions that click calls with what was typed."""

from datetime import UTC, datetime, timedelta

import click

from license_server.spans import read_number, read_span


def date(text: str) -> datetime:
    """Read a date (its first second, UTC) or an instant with its offset; return it in UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter("expected 2027-01-31 or 2027-01-31T12:00:00Z") from error
    return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)


def span(text: str) -> timedelta:
    """Read a length of time: `90s`, `30m`, `6h` or `14d`."""
    try:
        return read_span(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def limit(text: str) -> tuple[str, int]:
    """Read a name and a whole number: `seats=25`."""
    name, _, number = text.partition("=")
    return name, _number(number)


def _number(text: str) -> int:
    try:
        return read_number(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


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
