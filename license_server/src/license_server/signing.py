"""Signing with Ed25519: the contract's compact JWS, and nothing negotiable in it."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from license_server import base64url
from license_server.errors import ConfigurationError

DECISION: Final = "license-decision"
"""An artefact's kind; its `typ` is this and `+jwt`."""
LICENSE_FILE: Final = "license-file"
AUDIT_CHECKPOINT: Final = "audit-checkpoint"

_KID_DIGITS: Final = 16
_MAX_LENGTH: Final = 8192
"""Of a compact JWS, in characters (contract, "Decisions", verification)."""


def key_id(public_key: bytes) -> str:
    """Return the kid of a raw public key: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:_KID_DIGITS]


def jose_header(kid: str, kind: str) -> bytes:
    """Return the exact header bytes of an artefact of `kind` under `kid`."""
    return f'{{"alg":"EdDSA","kid":"{kid}","typ":"{kind}+jwt"}}'.encode("ascii")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private Ed25519 key; its `repr` shows only the kid.

    Attributes:
        kid: see `key_id`.
        public: the raw public key, 32 bytes.
    """

    kid: str
    public: bytes
    _private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """Make a new key."""
        return cls._of(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Return the key of a 32-byte seed."""
        return cls._of(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Read a key from unencrypted PEM.

        Raises:
            ConfigurationError: it is no such key.
        """
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ConfigurationError("it holds no unencrypted PEM private key") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise ConfigurationError("it holds a private key that is not Ed25519")
        return cls._of(key)

    @classmethod
    def _of(cls, key: Ed25519PrivateKey) -> Self:
        public = key.public_key().public_bytes_raw()
        return cls(key_id(public), public, key)

    def to_pem(self) -> bytes:
        """Return the private key as unencrypted PEM (PKCS 8)."""
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of `message`."""
        return self._private.sign(message)


class CompactRejected(ConfigurationError):  # noqa: N818 - says what happened
    """A compact JWS that is malformed, of another kind, or not signed by a known key."""


def verify_compact(text: str, kind: str, public_key_of: Callable[[str], bytes | None]) -> bytes:
    """Return the payload of a compact JWS.

    Args:
        text: the JWS.
        kind: of artefact; its header is compared byte for byte.
        public_key_of: returns the raw public key of a kid; None = not accepted.

    Raises:
        CompactRejected: anything about it is wrong.
    """
    if len(text) > _MAX_LENGTH:
        raise CompactRejected(f"it is longer than {_MAX_LENGTH} characters")
    try:
        protected, payload, signature = (base64url.decode(part) for part in text.split("."))
        kid = json.loads(protected)["kid"]
        public = public_key_of(kid)
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise CompactRejected("it is no compact JWS") from error
    if public is None:
        raise CompactRejected(f"the key set lists no key {kid} that is good for a {kind}")
    if protected != jose_header(kid, kind):
        raise CompactRejected(f"it is no {kind}")
    try:
        message = text.rpartition(".")[0].encode("ascii")
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise CompactRejected("its signature is not good") from error
    return payload


class CompactSigner:
    """Signs artefacts of one kind as compact JWS, with a header made once.

    Args:
        key: the signing key.
        kind: of the artefacts, such as `license-decision`.
    """

    def __init__(self, key: SigningKey, kind: str) -> None:
        self._key = key
        self._protected = base64url.encode(jose_header(key.kid, kind))

    def sign(self, payload: bytes) -> str:
        """Return `header.payload.signature`."""
        message = f"{self._protected}.{base64url.encode(payload)}"
        signature = self._key.sign(message.encode("ascii"))
        return f"{message}.{base64url.encode(signature)}"
