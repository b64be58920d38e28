"""SHA-256 and its HMAC, by the library that verifies signatures.

`hashlib` would load a second copy of OpenSSL at every start, for the same numbers.
"""

from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.hmac import HMAC


def sha256(data: bytes) -> bytes:
    """Return the 32 bytes of SHA-256(data)."""
    digest = Hash(SHA256())
    digest.update(data)
    return digest.finalize()


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """Return the 32 bytes of HMAC-SHA256(key, data)."""
    tag = HMAC(key, SHA256())
    tag.update(data)
    return tag.finalize()
