"""What makes a stolen database worthless: peppers for blind indexes, a key for sealed columns.

A license key is stored only as an HMAC under a pepper; an email as such an index, to be found by,
and sealed with AES-256-GCM, to be read by the vendor. Peppers and sealing key live in files,
never in the database.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from license_server import base64url
from license_server.emails import Email
from license_server.errors import ConfigurationError
from license_server.license_keys import LicenseKey

SECRET_BYTES: Final = 32
"""Of a pepper and of the sealing key: as many as the security of SHA-256 and AES-256."""

MAX_LIVE_PEPPERS: Final = 2
"""During a rotation the old and the new one; statements are compiled for as many."""

_KEY_LABEL: Final = b"license-key-v1\0"
_EMAIL_LABEL: Final = b"email-v1\0"
_DOMAIN_LABEL: Final = b"email-domain-v1\0"
_AUDIT_LABEL: Final = b"audit-subject-v1\0"
_SEALED_LABEL: Final = b"email-sealed-v1\0"
_CONTENT_LABEL: Final = b"content-sealed-v1\0"
_FORMAT: Final = 1
_NONCE_BYTES: Final = 12  # SP 800-38D, 8.2


@dataclass(frozen=True, slots=True)
class Pepper:
    """One secret of the blind indexes; its `repr` shows only the id.

    Attributes:
        pepper_id: stored beside each index that it made.
        secret: 32 random bytes.
    """

    pepper_id: str
    secret: bytes = field(repr=False)
    _keyed: HMAC = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Key the HMAC once: starting from a copy costs a quarter of it."""
        object.__setattr__(self, "_keyed", HMAC(self.secret, SHA256()))

    @classmethod
    def generate(cls, pepper_id: str) -> Self:
        """Make a new pepper."""
        return cls(pepper_id, secrets.token_bytes(SECRET_BYTES))

    def key_mac(self, key: LicenseKey) -> bytes:
        """Return what stands for a license key in the database."""
        return self._mac(_KEY_LABEL, key.symbols)

    def email_index(self, email: Email) -> bytes:
        """Return what an owner is found by."""
        return self._mac(_EMAIL_LABEL, email.address)

    def domain_index(self, email: Email) -> bytes:
        """Return what the owners of one domain are found by."""
        return self._mac(_DOMAIN_LABEL, email.domain)

    def audit_subject(self, name: str) -> str:
        """Return what stands for the subject `name` of an audit entry."""
        return f"{self.pepper_id}:{self._mac(_AUDIT_LABEL, name).hex()}"

    def _mac(self, label: bytes, text: str) -> bytes:
        mac = self._keyed.copy()
        mac.update(label + text.encode("utf-8"))
        return mac.finalize()


@dataclass(frozen=True, slots=True)
class Peppers:
    """The live peppers.

    Attributes:
        live: the current one first; during a rotation the one before it second.
    """

    live: tuple[Pepper, ...]

    @property
    def current(self) -> Pepper:
        """The one that makes new indexes."""
        return self.live[0]

    def key_macs(self, key: LicenseKey) -> tuple[bytes, ...]:
        """Return what may stand for `key` in the database, the current form first."""
        return tuple(pepper.key_mac(key) for pepper in self.live)

    def audit_subjects(self, name: str) -> tuple[str, ...]:
        """Return what may stand for the subject `name` in the audit log."""
        return tuple(pepper.audit_subject(name) for pepper in self.live)

    def email_indexes(self, email: Email) -> tuple[bytes, ...]:
        """Return what `email` may be found by, the current form first."""
        return tuple(pepper.email_index(email) for pepper in self.live)

    def domain_indexes(self, email: Email) -> tuple[bytes, ...]:
        """Return what the owners of the domain of `email` may be found by."""
        return tuple(pepper.domain_index(email) for pepper in self.live)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read the peppers file: `{"format":1,"peppers":[{"id","secret"}]}`, current first.

        Raises:
            ConfigurationError: it is not of this form, or holds none or too many.
        """
        try:
            live = tuple(_read_pepper(entry) for entry in json.loads(text)["peppers"])
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise ConfigurationError("it is no peppers file as `init` writes it") from error
        if not 1 <= len({pepper.pepper_id for pepper in live}) == len(live) <= MAX_LIVE_PEPPERS:
            raise ConfigurationError(f"1 to {MAX_LIVE_PEPPERS} peppers of different ids are needed")
        return cls(live)

    def to_json(self) -> str:
        """Return the peppers file."""
        entries = [{"id": p.pepper_id, "secret": base64url.encode(p.secret)} for p in self.live]
        return json.dumps({"format": _FORMAT, "peppers": entries}, indent=2) + "\n"


def _read_pepper(entry: Mapping[str, str]) -> Pepper:
    secret = base64url.decode(entry["secret"])
    if len(secret) != SECRET_BYTES or not isinstance(entry["id"], str):
        raise ValueError("a pepper has an id and 32 bytes")
    return Pepper(entry["id"], secret)


class Sealer:
    """Seals emails and other texts for the database, each bound to its row.

    Args:
        key: 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def from_hex(cls, text: bytes) -> Self:
        """Read the sealing key file: 64 hex digits.

        Raises:
            ConfigurationError: it is not that.
        """
        try:
            key = bytes.fromhex(text.decode("ascii").strip())
        except ValueError as error:
            raise ConfigurationError("64 hex digits are expected") from error
        if len(key) != SECRET_BYTES:
            raise ConfigurationError("64 hex digits are expected")
        return cls(key)

    def seal(self, email: Email, row_id: str) -> bytes:
        """Return nonce (12 bytes), ciphertext and tag (16 bytes) of `email`."""
        return self._encrypt(email.address.encode(), _SEALED_LABEL + row_id.encode())

    def unseal(self, sealed: bytes, row_id: str) -> Email:
        """Return the email that was sealed for the same row.

        Raises:
            ConfigurationError: the sealing key is another one, or the row was tampered with.
        """
        return Email(self._decrypt(sealed, _SEALED_LABEL + row_id.encode()).decode())

    def seal_bytes(self, content: bytes, context: str) -> bytes:
        """Return the same of any bytes, bound to `context`: table, column and row."""
        return self._encrypt(content, _CONTENT_LABEL + context.encode())

    def unseal_bytes(self, sealed: bytes, context: str) -> bytes:
        """Return what was sealed for the same context.

        Raises:
            ConfigurationError: the sealing key is another one, or the row was tampered with.
        """
        return self._decrypt(sealed, _CONTENT_LABEL + context.encode())

    def _encrypt(self, content: bytes, bound_to: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, bound_to)

    def _decrypt(self, sealed: bytes, bound_to: bytes) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)
        except (InvalidTag, ValueError) as error:
            raise ConfigurationError(
                "the sealing key does not open what this database holds: use the key of its `init`"
            ) from error
