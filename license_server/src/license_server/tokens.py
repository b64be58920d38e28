"""Admin tokens: what an operator's programs authenticate with.

A token is 130 random bits, so that one plain hash protects it at rest, and 4 check symbols, so
that secret scanners and typing errors are told apart without a look at the database.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from license_server.license_keys import RANDOM_SYMBOLS, check_symbols, random_symbols

LIFETIME: Final = timedelta(days=365)

_MARK: Final = "lsk_"
_CHECK_LABEL: Final = b"admin-token-v1"
_PREFIX_LENGTH: Final = len(_MARK) + 6


class Role(StrEnum):
    """What a token may do."""

    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class AdminToken:
    """A new token; its `repr` hides it.

    Attributes:
        text: the token as its holder keeps it.
        role: what it may do.
        created_at: when it was made.
        expires_at: its end.
    """

    text: str = field(repr=False)
    role: Role
    created_at: datetime
    expires_at: datetime

    @classmethod
    def generate(cls, role: Role, now: datetime) -> Self:
        """Make a token."""
        drawn = random_symbols(RANDOM_SYMBOLS)
        text = _MARK + drawn + check_symbols(_CHECK_LABEL, drawn)
        return cls(text, role, now, now + LIFETIME)

    @property
    def prefix(self) -> str:
        """Its first 10 characters, for a person to tell tokens apart: 30 of its 130 bits."""
        return self.text[:_PREFIX_LENGTH]

    def hash(self) -> bytes:
        """Return what stands for it in the database, 32 bytes."""
        return hashlib.sha256(self.text.encode("ascii")).digest()
