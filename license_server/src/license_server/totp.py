"""One-time codes of an authenticator app: RFC 6238 as all apps do it, SHA-1, 6 digits, 30 s."""

import base64
import secrets
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP_SECONDS: Final = 30
DIGITS: Final = 6
ISSUER: Final = "License server"

_SECRET_BYTES: Final = 20  # RFC 4226, section 4, R6
_DRIFT_STEPS: Final = 1  # RFC 6238, section 5.2


def new_secret() -> bytes:
    """Draw a secret, 20 bytes."""
    return secrets.token_bytes(_SECRET_BYTES)


def secret_text(secret: bytes) -> str:
    """Return a secret as a person types it into an app: base32, 32 symbols."""
    return base64.b32encode(secret).decode("ascii")


def enrollment_uri(secret: bytes, name: str) -> str:
    """Return what an app reads from a QR code: `otpauth://totp/…`."""
    label = quote(f"{ISSUER}:{name}")
    members = {"secret": secret_text(secret), "issuer": ISSUER, "digits": DIGITS}
    return f"otpauth://totp/{label}?{urlencode(members, quote_via=quote)}"


def code_at(secret: bytes, now: datetime) -> str:
    """Return the code of an instant."""
    return _totp(secret).generate(int(now.timestamp())).decode("ascii")


def matching_step(secret: bytes, code: str, after: int, now: datetime) -> int | None:
    """Return the time step whose code this is; None = it is of none that may be used now.

    Args:
        secret: 20 bytes.
        code: 6 digits.
        after: newest step that was used: a code is taken once (RFC 6238, section 5.2).
        now: the server's time; a clock may be one step off.
    """
    present = int(now.timestamp()) // STEP_SECONDS
    for step in range(max(present - _DRIFT_STEPS, after + 1), present + _DRIFT_STEPS + 1):
        try:
            _totp(secret).verify(code.encode(), step * STEP_SECONDS)
        except InvalidToken:
            continue
        return step
    return None


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 - what RFC 6238 says and apps do
