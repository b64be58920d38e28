"""Templates of pages, and how values are written in them."""

import secrets
from datetime import UTC, date, datetime, timedelta
from typing import Final

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from license_server.web.answers import static_version

_ONCE_BYTES: Final = 16
_NOTHING: Final = "\N{EN DASH}"
_UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def environment(package: str, base: str, **constants: object) -> Environment:
    """Return the templates of a package, over those that all pages share.

    Args:
        package: holds a folder `templates`.
        base: where its static files are found, such as `/console`.
        constants: known to all its templates.
    """
    templates = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("license_server.web")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    templates.filters |= {
        "instant": instant,
        "day": day,
        "ago": ago,
        "span": span,
        "number": number,
        "words": words,
        "sentence": sentence,
        "ticked": ticked,
    }

    def static(name: str) -> str:
        return f"{base}/static/{name}?v={static_version(name)}"

    templates.globals |= {"static": static, "once": once, "base": base, **constants}
    return templates


def once() -> str:
    """Draw what a form carries so that it does its work once, however often it is sent."""
    return secrets.token_urlsafe(_ONCE_BYTES)


def instant(value: str | datetime | int | None) -> str | Markup:
    """Write an instant for people, UTC."""
    if value is None:
        return _NOTHING
    at = _instant(value)
    shown = f"{at.day} {at:%b %Y, %H:%M}"
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        at.strftime("%Y-%m-%dT%H:%M:%SZ"), at.strftime("%Y-%m-%d %H:%M:%S"), shown
    )


def day(value: str | datetime | date | None) -> str:
    """Write a day for people."""
    if value is None:
        return _NOTHING
    on = value if isinstance(value, date) else _instant(value)
    return f"{on.day} {on:%b %Y}"


def ago(value: str | datetime | None, now: datetime) -> str | Markup:
    """Write how long an instant is ago, or how far ahead."""
    if value is None:
        return "never"
    at = _instant(value)
    length = _rough(abs(now - at))
    shown = "just now" if not length else f"in {length}" if at > now else f"{length} ago"
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        at.strftime("%Y-%m-%dT%H:%M:%SZ"), at.strftime("%Y-%m-%d %H:%M:%S"), shown
    )


def span(seconds: int | None) -> str:
    """Write a span of whole seconds exactly, such as `14 days` or `1 day 12 hours`."""
    if seconds is None:
        return "without end"
    parts = []
    for unit, length in _UNITS:
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(_counted(count, unit))
    return " ".join(parts) or "0 seconds"


def number(value: int) -> str:
    """Write a number in groups of thousands."""
    return f"{value:,}"


def words(name: str) -> str:
    """Write a name of the protocol as words: `license.rotate_key` as `license rotate key`."""
    return name.replace(".", " ").replace("_", " ").replace("-", " ")


def sentence(text: str) -> str:
    """Write a message as a sentence begins."""
    return text[:1].upper() + text[1:]


def ticked(text: str) -> Markup:
    """Write a text whose commands stand between backticks."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else part
        for number, part in enumerate(parts)
    )


def _instant(value: str | datetime | int | date) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, int):
        return datetime.fromtimestamp(value, UTC)
    return datetime.fromisoformat(str(value))


def _rough(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    for unit, unit_seconds in _UNITS[:-1]:
        if seconds >= unit_seconds:
            return _counted(seconds // unit_seconds, unit)
    return ""


def _counted(count: int, unit: str) -> str:
    return f"{count:,} {unit}" if count == 1 else f"{count:,} {unit}s"
