"""What is said of a service that was looked over: findings with a stable id, a level, a remedy."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    PASS = "PASS"  # noqa: S105 - no password
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        id: stable, for scripts and for the documents.
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
    """Return what has to be mended before the service is safe or works."""
    return Finding(id_, Level.FAIL, text, remedy)
