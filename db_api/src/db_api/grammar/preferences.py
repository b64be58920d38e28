"""`Prefer`: what the client would like, and which of it was applied (RFC 7240)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, cast

from db_api.rest_errors import RestError

Returning = Literal["minimal", "headers-only", "representation"]
Count = Literal["exact", "planned", "estimated"]
End = Literal["commit", "rollback"]

_CHOICES: Final = MappingProxyType(
    {
        "resolution": ("merge-duplicates", "ignore-duplicates"),
        "missing": ("default", "null"),
        "return": ("minimal", "headers-only", "representation"),
        "count": ("exact", "planned", "estimated"),
        "tx": ("commit", "rollback"),
        "handling": ("strict", "lenient"),
    }
)
"""Every preference that has a few values, and these."""

_MAX_AFFECTED: Final = re.compile(r"[0-9]{1,18}")
_ORDER: Final = (*_CHOICES, "max-affected")
"""In which order `Preference-Applied` names them (PostgREST)."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """The preferences of one request; the first of several of a kind counts."""

    chosen: MappingProxyType[str, str]

    @property
    def returning(self) -> Returning:
        """What a write answers."""
        return cast("Returning", self.chosen.get("return", "minimal"))

    @property
    def count(self) -> Count | None:
        """How the total number of rows is found, if it is wanted."""
        return cast("Count | None", self.chosen.get("count"))

    @property
    def fills_defaults(self) -> bool:
        """Tell whether a value that a row lacks becomes the column's default, not NULL."""
        return self.chosen.get("missing") == "default"

    @property
    def resolution(self) -> str | None:
        """What becomes of a row whose key exists."""
        return self.chosen.get("resolution")

    @property
    def end(self) -> End | None:
        """How the transaction ends, if the client chooses."""
        return cast("End | None", self.chosen.get("tx"))

    @property
    def max_affected(self) -> int | None:
        """How many rows may be written; None for no limit, which it is without strictness."""
        if self.chosen.get("handling") != "strict" or "max-affected" not in self.chosen:
            return None
        return int(self.chosen["max-affected"])

    def without_end(self) -> "Preferences":
        """Return the same where the client has no say in how the transaction ends."""
        if "tx" not in self.chosen:
            return self
        kept = {kind: value for kind, value in self.chosen.items() if kind != "tx"}
        return Preferences(MappingProxyType(kept))

    def applied(self, *kinds: str) -> str | None:
        """Write `Preference-Applied` for these kinds; None when none of them was given."""
        parts = [
            f"{kind}={self.chosen[kind]}"
            for kind in _ORDER
            if kind in kinds and kind in self.chosen and self._is_applied(kind)
        ]
        return ", ".join(parts) or None

    def _is_applied(self, kind: str) -> bool:
        return kind != "max-affected" or self.max_affected is not None


NONE: Final = Preferences(MappingProxyType({}))


def read_preferences(headers: Iterable[str]) -> Preferences:
    """Read every `Prefer` header of a request.

    Raises:
        RestError: with `handling=strict`, one of them is unknown.
    """
    tokens = [token.strip() for header in headers for token in header.split(",")]
    if not tokens:
        return NONE
    chosen: dict[str, str] = {}
    unknown = []
    for token in tokens:
        kind, _, value = token.partition("=")
        if _is_known(kind, value):
            chosen.setdefault(kind, value)
        else:
            unknown.append(token)
    if unknown and chosen.get("handling") == "strict":
        raise RestError(
            "PGRST122",
            "Invalid preferences given with handling=strict",
            details=f"Invalid preferences: {', '.join(unknown)}",
        )
    return Preferences(MappingProxyType(chosen))


def _is_known(kind: str, value: str) -> bool:
    if kind == "max-affected":
        return _MAX_AFFECTED.fullmatch(value) is not None
    return value in _CHOICES.get(kind, ())
