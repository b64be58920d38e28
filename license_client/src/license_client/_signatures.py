"""Ed25519 in one fixed profile: exact header bytes, safe public keys, no negotiation.

SHA-256 and its HMAC come from the same library: `hashlib` would load a second copy of OpenSSL at
every start, for the same numbers.
"""

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.hmac import HMAC

from license_client._json import MalformedError

PUBLIC_BYTES: Final = 32  # RFC 8032 section 5.1.5
SIGNATURE_BYTES: Final = 64  # RFC 8032 section 5.1.6
KID_DIGITS: Final = 16
_HEX: Final = frozenset("0123456789abcdef")
_FIELD: Final = 2**255 - 19
_SIGN_BIT: Final = 2**255
# y coordinates of the points of order 1, 2, 4 and 8 (RFC 7748 section 7; found by multiplying
# any point by the group order): a signature by such a "key" verifies for any message.
_Y_OF_ORDER_8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER: Final = frozenset({0, 1, _FIELD - 1, _Y_OF_ORDER_8, _FIELD - _Y_OF_ORDER_8})


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


def key_id(public: bytes) -> str:
    """Return the kid of a public key: the first 16 hex digits of its SHA-256."""
    return sha256(public).hex()[:KID_DIGITS]


def header_bytes(kind: str, kid: str) -> bytes:
    """Return the one header that a `kind` signed by `kid` may have."""
    return f'{{"alg":"EdDSA","kid":"{kid}","typ":"{kind}+jwt"}}'.encode()


def read_kid(header: bytes, kind: str) -> str:
    """Return the kid in the one header that a `kind` may have.

    Raises:
        MalformedError: a single byte is different.
    """
    start, end = header_bytes(kind, "/").split(b"/")
    kid = header[len(start) : -len(end)].decode("ascii", "replace")
    if len(kid) != KID_DIGITS or not set(kid) <= _HEX or header != header_bytes(kind, kid):
        raise MalformedError(f"not the header of a {kind}", rule="header")
    return kid


def require_safe(public: bytes) -> None:
    """Refuse what is no key, and the keys under which anything verifies.

    Raises:
        MalformedError: not 32 bytes, or a point of small order in any of its encodings.
    """
    y = int.from_bytes(public, "little") % _SIGN_BIT % _FIELD
    if len(public) != PUBLIC_BYTES or y in _SMALL_ORDER:
        raise MalformedError("pub: not a safe public key", rule="public-key")


def verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    """Ask whether `signature` (64 bytes) is that of `message` by `public` (32 raw bytes)."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):  # ValueError: not a point of the curve
        return False
    return True
