"""Sessions of browsers: known by a random cookie, kept by its hash, over after a while.

The cookie also makes the token that every form carries against forged requests (OWASP CSRF
Prevention Cheat Sheet): nobody who cannot read the cookie knows it, and nothing is to be stored.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

_COOKIE_BYTES: Final = 32
_SESSION_LABEL: Final = b"session-v1\0"
_FORM_LABEL: Final = b"form-v1\0"

SEEN_RESOLUTION: Final = timedelta(minutes=1)
"""How exactly it is kept when a session was used last."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lasts (OWASP Session Management Cheat Sheet).

    Attributes:
        idle: without a request.
        absolute: in any case.
    """

    idle: timedelta
    absolute: timedelta


OPERATORS: Final = Lifetime(timedelta(minutes=30), timedelta(hours=12))
CUSTOMERS: Final = Lifetime(timedelta(minutes=30), timedelta(hours=2))


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that someone signed in with.

    Attributes:
        hash: of its cookie, 32 bytes.
        subject: id of who signed in: an operator, an admin token, or an owner.
        created_at: when it began.
        seen_at: of its newest request, to the minute.
    """

    hash: bytes = field(repr=False)
    subject: str
    created_at: datetime
    seen_at: datetime

    def is_over(self, lifetime: Lifetime, now: datetime) -> bool:
        """Tell whether it has ended."""
        return now >= min(self.seen_at + lifetime.idle, self.created_at + lifetime.absolute)


class SessionStore(Protocol):
    """Sessions."""

    async def add(self, session: Session) -> None:
        """Store a new session."""

    async def find(self, session_hash: bytes) -> Session | None:
        """Return the session of a hash, over or not."""

    async def mark_seen(self, session_hash: bytes, now: datetime) -> None:
        """Remember when a session was used."""

    async def end(self, session_hash: bytes) -> None:
        """Forget a session."""

    async def end_all(self, subject: str) -> int:
        """Forget all sessions of someone; return how many there were."""

    async def forget_before(self, before: datetime) -> int:
        """Forget the sessions that began before an instant; return how many there were."""


def new_cookie() -> str:
    """Draw a cookie: 256 random bits in base64url."""
    return secrets.token_urlsafe(_COOKIE_BYTES)


def hash_of_cookie(cookie: str) -> bytes:
    """Return what stands for a cookie in the database; 256 random bits need no slow hash."""
    return hashlib.sha256(_SESSION_LABEL + cookie.encode()).digest()


def form_token(cookie: str) -> str:
    """Return what the forms of a browser carry, 64 hex digits; it does not tell the cookie."""
    return hashlib.sha256(_FORM_LABEL + cookie.encode()).hexdigest()


def is_form_token(text: str, cookie: str) -> bool:
    """Tell whether a form came from a page that this browser was given."""
    return hmac.compare_digest(text.encode(), form_token(cookie).encode())
