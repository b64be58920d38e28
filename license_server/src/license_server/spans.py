"""Lengths of time as people type them: `90s`, `30m`, `6h` or `14d`."""

from datetime import timedelta
from types import MappingProxyType
from typing import Final

_MAX_DIGITS: Final = 6
_UNITS: Final = MappingProxyType(
    {
        "d": timedelta(days=1),
        "h": timedelta(hours=1),
        "m": timedelta(minutes=1),
        "s": timedelta(seconds=1),
    }
)


def read_span(text: str) -> timedelta:
    """Read a length of time, as `span_text` writes it.

    Raises:
        ValueError: it is none; the text says what is expected.
    """
    number, unit = text[:-1], _UNITS.get(text[-1:])
    if unit is None:
        raise ValueError("a number and s, m, h or d is expected, such as 6h or 14d")
    return read_number(number) * unit


def span_text(length: timedelta) -> str:
    """Write a length of whole seconds in the largest unit that fits."""
    letter = next(letter for letter, unit in _UNITS.items() if not length % unit)
    return f"{length // _UNITS[letter]}{letter}"


def read_number(text: str) -> int:
    """Read a whole number from 0 on.

    Raises:
        ValueError: it is none; the text says what is expected.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise ValueError(f"a whole number of at most {_MAX_DIGITS} digits is expected")
    return int(text)
