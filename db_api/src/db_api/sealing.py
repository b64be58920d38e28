"""What must rest in the database and be read again, sealed by a key that is not there.

The operator has one root secret (LICENSE_ENCRYPTION_KEY). Each purpose derives a key of its own
from it, by HKDF-SHA256 (RFC 5869), so that what one of them leaks says nothing of another. A
sealed text is bound to its context, such as the row that holds it: moved elsewhere, it does not
open.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32
_FORMAT: Final = b"\x01"
_NONCE_BYTES: Final = 12  # SP 800-38D, 8.2
_LABEL: Final = "db-api/"


class UnsealError(ValueError):
    """Say that a sealed text was made with another key, for another place, or was changed."""


@dataclass(frozen=True, slots=True)
class RootKeys:
    """The operator's root secret, and the one before it, which opens but never seals.

    Attributes:
        current: 32 bytes.
        previous: 32 bytes, or None.
    """

    current: bytes = field(repr=False)
    previous: bytes | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, current: str, previous: str | None = None) -> Self:
        """Read 64 hexadecimal digits each.

        Raises:
            ValueError: one of them has another form.
        """
        return cls(_parse(current), _parse(previous) if previous else None)

    def derive(self, purpose: str) -> bytes:
        """Make the current key of a purpose: 32 bytes."""
        return _derived(self.current, purpose)

    def sealer(self, purpose: str) -> "Sealer":
        """Make what seals for a purpose."""
        old = self.previous and _derived(self.previous, purpose)
        return Sealer(self.derive(purpose), old)


class Sealer:
    """Seals texts for one purpose, with AES-256-GCM under random nonces.

    Args:
        key: seals and opens.
        old_key: opens as well.
    """

    def __init__(self, key: bytes, old_key: bytes | None) -> None:
        self._cipher = AESGCM(key)
        self._ciphers = [self._cipher, *([AESGCM(old_key)] if old_key else [])]

    def seal(self, text: str, context: str) -> bytes:
        """Seal a text so that it opens in this context alone."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, text.encode(), context.encode())

    def unseal(self, sealed: bytes, context: str) -> str:
        """Open a sealed text.

        Raises:
            UnsealError: another key, another context, or other bytes.
        """
        return self._opened(sealed, context, self._ciphers)

    def is_outdated(self, sealed: bytes, context: str) -> bool:
        """Tell whether a sealed text opens by the old key alone."""
        try:
            self._opened(sealed, context, self._ciphers[1:])
        except UnsealError:
            return False
        return True

    @staticmethod
    def _opened(sealed: bytes, context: str, ciphers: Iterable[AESGCM]) -> str:
        nonce, content = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if sealed[:1] != _FORMAT or len(nonce) != _NONCE_BYTES:
            raise UnsealError("not sealed by this version")
        for cipher in ciphers:
            try:
                return cipher.decrypt(nonce, content, context.encode()).decode()
            except InvalidTag:
                continue
        raise UnsealError("sealed with another key or for another place, or changed")


def _parse(digits: str) -> bytes:
    if len(digits) != 2 * KEY_BYTES:
        raise ValueError(f"{2 * KEY_BYTES} hexadecimal digits are expected")
    return bytes.fromhex(digits)


def _derived(root: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"{_LABEL}{purpose}".encode()).derive(root)
