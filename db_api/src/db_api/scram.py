"""Verifiers of passwords as PostgreSQL stores them.

Made on our side, so that no password travels in a statement, which the server may log.
"""

import hashlib
import hmac
import secrets
from base64 import b64encode
from typing import Final

_ITERATIONS: Final = 4096  # RFC 7677, section 4, and PostgreSQL's own default
_SALT_BYTES: Final = 16
_HASH: Final = "sha256"


def scram_verifier(password: str) -> str:
    """Return `SCRAM-SHA-256$4096:salt$StoredKey:ServerKey` (RFC 5803) of an ASCII password."""
    salt = secrets.token_bytes(_SALT_BYTES)
    salted = hashlib.pbkdf2_hmac(_HASH, password.encode("ascii"), salt, _ITERATIONS)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", _HASH)).digest()
    server_key = hmac.digest(salted, b"Server Key", _HASH)
    return f"SCRAM-SHA-256${_ITERATIONS}:{_text(salt)}${_text(stored_key)}:{_text(server_key)}"


def _text(content: bytes) -> str:
    return b64encode(content).decode("ascii")
