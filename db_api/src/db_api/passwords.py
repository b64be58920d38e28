"""The administrator's password: which ones are refused, how they are hashed and compared.

Argon2id with OWASP's minimum of memory and time (Password Storage Cheat Sheet): 19 MiB, two
passes, one lane; some 50 ms of a core each, so callers run it in a thread.
"""

import re
import secrets
from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

MIN_LENGTH: Final = 16
MAX_BYTES: Final = 1024  # ASVS 6.2.9 asks for at least 64 characters; the rest is our bound
_MEMORY_KIB: Final = 19_456
_ITERATIONS: Final = 2
_LANES: Final = 1
_HASH_BYTES: Final = 32
_SALT_BYTES: Final = 16
_MIN_DISTINCT_SYMBOLS: Final = 6
_PHC: Final = re.compile(  # 22 symbols are 16 bytes of salt, 43 are 32 of hash
    r"\$argon2id\$v=19\$m=(?P<memory>[0-9]{1,9}),t=(?P<passes>[0-9]{1,4}),p=[0-9]{1,3}"
    r"\$[A-Za-z0-9+/]{22,86}\$[A-Za-z0-9+/]{43,86}"
)
_COMMON_STEMS: Final = frozenset(
    {
        "0123456789abcdef",
        "admin",
        "administrator",
        "changeme",
        "changethis",
        "default",
        "dbapi",
        "example",
        "letmein",
        "password",
        "passw0rd",
        "postgres",
        "qwertyuiop",
        "secret",
        "selfhosteddb",
        "supabase",
        "yourpassword",
        "yoursecurepassword",
        "yourstrongpassword",
    }
)


def password_weakness(user: str, password: str) -> str | None:
    """Say why a password is refused in production, or None.

    There are no composition rules (ASVS 6.2.5 forbids them): length, and not a known one.
    """
    if len(password) < MIN_LENGTH:
        return f"is shorter than {MIN_LENGTH} characters"
    if len(password.encode()) > MAX_BYTES:
        return f"is longer than {MAX_BYTES} bytes"
    if password.lower() == user.lower():
        return "equals AUTH_USER"
    if len(set(password)) < _MIN_DISTINCT_SYMBOLS:
        return f"has fewer than {_MIN_DISTINCT_SYMBOLS} different symbols"
    if _stem(password) in _COMMON_STEMS | {_stem(user), ""}:
        return "is a default or a well-known password"
    return None


def _stem(password: str) -> str:
    """Reduce `Password-1234!password` to `password`: letters alone, one period of a repetition."""
    letters = "".join(symbol for symbol in password.lower() if symbol.isalpha())
    for length in range(1, len(letters) // 2 + 1):
        if letters[:length] * (len(letters) // length) == letters:
            return letters[:length]
    return letters


def generate_password() -> str:
    """Make a password of 256 random bits, 43 characters of base64url."""
    return secrets.token_urlsafe(32)


def hash_password(password: str) -> str:
    """Return the PHC string (`$argon2id$v=19$m=19456,t=2,p=1$…`) of a password."""
    return _argon2id(secrets.token_bytes(_SALT_BYTES)).derive_phc_encoded(password.encode())


def _argon2id(salt: bytes) -> Argon2id:
    return Argon2id(
        salt=salt,
        length=_HASH_BYTES,
        iterations=_ITERATIONS,
        lanes=_LANES,
        memory_cost=_MEMORY_KIB,
    )


def is_password_hash(text: str) -> bool:
    """Tell whether `text` is an Argon2id PHC string at or above our parameters."""
    found = _PHC.fullmatch(text)
    if found is None:
        return False
    return int(found["memory"]) >= _MEMORY_KIB and int(found["passes"]) >= _ITERATIONS


def verify_password(password: str, phc: str) -> bool:
    """Compare a password with a PHC string (`is_password_hash`), in time that both share."""
    try:
        Argon2id.verify_phc_encoded(password.encode(), phc)
    except InvalidKey:
        return False
    return True
