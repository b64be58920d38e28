"""API keys: 64 lower-case hex digits of 256 random bits, for one schema, of one type.

Only the SHA-256 of a key is kept: a fast hash is right where the secret is random.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

PREFIX_LENGTH: Final = 8
MAX_NAME_LENGTH: Final = 64
MAX_OVERLAP_SECONDS: Final = 30 * 24 * 3600
_KEY: Final = re.compile(r"[0-9a-f]{64}")


class KeyType(StrEnum):
    """What a key may do in its schema."""

    ANON = "anon"
    SERVICE_ROLE = "service_role"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as the service remembers it: without its secret.

    Attributes:
        digest: 32 bytes, SHA-256 of the key's text.
        prefix: the key's first 8 digits, for people and logs.
        last_used_at: to the minute; None = never, or not since that is known.
        replaced_by: the key that takes its place.
    """

    id: UUID
    digest: bytes
    prefix: str
    name: str
    type: KeyType
    schema: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = None
    replaced_by: UUID | None = None

    def is_live(self, now: datetime) -> bool:
        """Tell whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def generate_key() -> str:
    """Make a new key; whoever calls shows it once and keeps it nowhere."""
    return secrets.token_hex(32)


def is_key_name(text: str) -> bool:
    """Tell whether a key may be called so: 1 to 64 printable characters."""
    return 1 <= len(text) <= MAX_NAME_LENGTH and text.isprintable()


def is_key(text: str) -> bool:
    """Tell whether `text` has the form of a key."""
    return _KEY.fullmatch(text) is not None


def digest_of(key: str) -> bytes:
    """Return what is stored of a key: 32 bytes."""
    return hashlib.sha256(key.encode()).digest()


def prefix_of(key: str) -> str:
    """Return what people may see of a key."""
    return key[:PREFIX_LENGTH]
