"""Ed25519 as the contract uses it: key pairs from labels, kids, exact headers, weak points."""

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from reference.encoding import b64url

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P)  # of the curve, RFC 8032 section 5.1
ORDER = 2**252 + 27742317777372353535851937790883648493

# The eight points whose order divides 8 share five y: 1 (order 1), -1 (2), 0 (4), and two of order
# 8, which double to y = 0 and so solve d y^4 + 2 y^2 = 1.
_Y_OF_ORDER_8 = int.from_bytes(
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"
)
assert (_D * _Y_OF_ORDER_8**4 + 2 * _Y_OF_ORDER_8**2) % _P == 1
SMALL_ORDER_Y = (0, 1, _P - 1, _Y_OF_ORDER_8, _P - _Y_OF_ORDER_8)


@dataclass(frozen=True)
class Pair:
    """A key pair whose seed is the hash of its name, so that every run makes the same one."""

    name: str

    @cached_property
    def seed(self) -> bytes:
        """The 32 raw bytes of the private key."""
        return hashlib.sha256(f"license vectors, key pair {self.name}".encode()).digest()

    @cached_property
    def public(self) -> bytes:
        """The 32 raw bytes of the public key."""
        return self._private.public_key().public_bytes_raw()

    @cached_property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @property
    def kid(self) -> str:
        """The first 16 hex digits of the public key's hash."""
        return kid_of(self.public)

    def sign(self, message: bytes) -> bytes:
        """Sign (deterministic, RFC 8032)."""
        return self._private.sign(message)

    def described(self) -> dict[str, object]:
        """Describe the pair in a vector file."""
        return {"seed": self.seed.hex(), "pub": b64url(self.public), "kid": self.kid}


def kid_of(public: bytes) -> str:
    """Name a public key."""
    return hashlib.sha256(public).hexdigest()[:16]


def header(kid: str, typ: str) -> bytes:
    """Write the one header that a signature of this kind may have."""
    return f'{{"alg":"EdDSA","kid":"{kid}","typ":"{typ}"}}'.encode()


def kid_in(raw: bytes, typ: str) -> str | None:
    """Read the kid of an exact header; None when the bytes are anything else."""
    found = re.fullmatch(header("([0-9a-f]{16})", re.escape(typ)), raw)
    return found[1].decode() if found else None


def is_small_order(public: bytes) -> bool:
    """Recognize the points for which a signature of anything verifies, however encoded."""
    y = int.from_bytes(public, "little") % 2**255
    return y % _P in SMALL_ORDER_Y


def verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    """Check one signature."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True
