"""The passwords of operators: which ones are refused, how they are made, hashed and compared.

Argon2id with OWASP's minimum of memory and time (Password Storage Cheat Sheet): 19 MiB, two
passes, one lane; some 50 ms of a core each, so callers run it in a thread.
"""

import secrets
from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

MIN_LENGTH: Final = 15  # NIST SP 800-63B-4, 3.1.1.2
MAX_BYTES: Final = 1024  # ASVS 6.2.9 asks for at least 64 characters; the rest is our bound

_MEMORY_KIB: Final = 19_456
_ITERATIONS: Final = 2
_LANES: Final = 1
_HASH_BYTES: Final = 32
_SALT_BYTES: Final = 16
_GENERATED_BYTES: Final = 18
_MIN_DISTINCT_SYMBOLS: Final = 6


def password_weakness(name: str, password: str) -> str | None:
    """Say what is expected instead of a password, or None if it will do.

    There are no composition rules (ASVS 6.2.5 forbids them): length, and not a poor one.
    """
    if len(password) < MIN_LENGTH:
        return f"at least {MIN_LENGTH} characters are expected"
    if len(password.encode()) > MAX_BYTES:
        return f"at most {MAX_BYTES} bytes are expected"
    if len(set(password.lower())) < _MIN_DISTINCT_SYMBOLS:
        return f"at least {_MIN_DISTINCT_SYMBOLS} different symbols are expected"
    if name.lower() in password.lower():
        return "a password without the operator's name is expected"
    return None


def generate_password() -> str:
    """Make a password of 144 random bits, 24 characters of base64url."""
    return secrets.token_urlsafe(_GENERATED_BYTES)


def hash_password(password: str) -> str:
    """Return the PHC string (`$argon2id$v=19$m=19456,t=2,p=1$…`) of a password."""
    return Argon2id(
        salt=secrets.token_bytes(_SALT_BYTES),
        length=_HASH_BYTES,
        iterations=_ITERATIONS,
        lanes=_LANES,
        memory_cost=_MEMORY_KIB,
    ).derive_phc_encoded(password.encode())


def verify_password(password: str, phc: str) -> bool:
    """Compare a password with a PHC string."""
    try:
        Argon2id.verify_phc_encoded(password.encode(), phc)
    except InvalidKey:
        return False
    return True
