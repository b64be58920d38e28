"""Admin tokens: what an operator's programs authenticate with.

A token is 130 random bits, so that one plain hash protects it at rest, and 4 check symbols, so
that secret scanners and typing errors are told apart without a look at the database.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from license_server.errors import FieldError, InvalidField
from license_server.license_keys import (
    CHECK_SYMBOLS,
    RANDOM_SYMBOLS,
    check_symbols,
    random_symbols,
)

LIFETIME: Final = timedelta(days=365)
LONGEST_LIFE: Final = timedelta(days=3650)
MAX_NAME_LENGTH: Final = 100

_MARK: Final = "lsk_"
_CHECK_LABEL: Final = b"admin-token-v1"
_PREFIX_LENGTH: Final = len(_MARK) + 6


class Role(StrEnum):
    """What a token may do; each endpoint names the roles that it is for."""

    OWNER = "owner"
    """Everything."""
    ISSUER = "issuer"
    """Issues licenses and runs their life."""
    SUPPORT = "support"
    """Looks, suspends, reinstates, replaces keys, blocks deployments; issues nothing."""
    AUDITOR = "auditor"
    """Looks, and reads the audit log."""


@dataclass(frozen=True, slots=True)
class AdminToken:
    """A new token; its `repr` hides it.

    Attributes:
        token_id: `tok_` and 26 random symbols.
        name: what its holder is called.
        text: the token as its holder keeps it.
        role: what it may do.
        created_at: when it was made.
        expires_at: its end.
    """

    token_id: str
    name: str
    text: str = field(repr=False)
    role: Role
    created_at: datetime
    expires_at: datetime

    @classmethod
    def generate(cls, name: str, role: Role, lasts: timedelta, now: datetime) -> Self:
        """Make a token.

        Raises:
            InvalidField: the name is empty, too long or not printable, or it lasts too long.
        """
        if not (0 < len(name) <= MAX_NAME_LENGTH and name.isprintable()):
            expected = f"1 to {MAX_NAME_LENGTH} printable characters are expected"
            raise InvalidField(FieldError("name", expected))
        if not timedelta() < lasts <= LONGEST_LIFE:
            expected = f"a time of at most {LONGEST_LIFE.days} days is expected"
            raise InvalidField(FieldError("lasts_seconds", expected))
        drawn = random_symbols(RANDOM_SYMBOLS)
        text = _MARK + drawn + check_symbols(_CHECK_LABEL, drawn)
        return cls(f"tok_{drawn_id()}", name, text, role, now, now + lasts)

    @property
    def prefix(self) -> str:
        """Its first 10 characters, for a person to tell tokens apart: 30 of its 130 bits."""
        return self.text[:_PREFIX_LENGTH]

    def hash(self) -> bytes:
        """Return what stands for it in the database, 32 bytes."""
        return hashlib.sha256(self.text.encode("ascii")).digest()


def hash_of_token(text: str) -> bytes | None:
    """Return what would stand for `text` in the database; None = it is no token at all."""
    drawn, check = text[len(_MARK) : -CHECK_SYMBOLS], text[-CHECK_SYMBOLS:]
    has_form = text.isascii() and text.startswith(_MARK) and len(drawn) == RANDOM_SYMBOLS
    if not has_form or check_symbols(_CHECK_LABEL, drawn) != check:
        return None
    return hashlib.sha256(text.encode("ascii")).digest()


def drawn_id() -> str:
    """Draw the 26 random symbols (130 bits) of an id."""
    return random_symbols(RANDOM_SYMBOLS).lower()
