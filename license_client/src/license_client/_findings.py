"""What `license-client doctor` says: findings with a stable id, a level and a remedy."""

from enum import StrEnum
from typing import NamedTuple


class Level(StrEnum):
    """How bad it is."""

    PASS = "PASS"  # noqa: S105 - no password
    WARN = "WARN"
    FAIL = "FAIL"


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        id: stable, for scripts and for the README.
        level: how bad it is.
        text: what was found; never a secret.
        remedy: what to do; "" if all is well.
    """

    id: str
    level: Level
    text: str
    remedy: str = ""


def passed(id_: str, text: str) -> Finding:
    """Return that all is well."""
    return Finding(id_, Level.PASS, text)


def warned(id_: str, text: str, remedy: str) -> Finding:
    """Return what should be mended."""
    return Finding(id_, Level.WARN, text, remedy)


def failed(id_: str, text: str, remedy: str) -> Finding:
    """Return what keeps the license from working."""
    return Finding(id_, Level.FAIL, text, remedy)
