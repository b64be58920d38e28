"""The owner whose license was activated here: for the next start, and for a service that runs.

The license cache holds neither key nor email, so that whoever activates a license by
`db-api activate` or over HTTP would have to write both into the environment too. They are kept
beside the cache instead, sealed with the same LICENSE_ENCRYPTION_KEY (in the clear where there is
none, which production refuses), for this user's eyes alone.
"""

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FILE_NAME: Final = "license-owner"
_PURPOSE: Final = b"db-api-license-owner-v1"  # another key than the cache's, out of the same secret
_NONCE_BYTES: Final = 12  # NIST SP 800-38D, 8.2.2: 96 random bits
_MAX_BYTES: Final = 4096
Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Owner:
    """A license key and the email that it belongs to, as typed."""

    license_key: str = field(repr=False)
    email: str


class OwnerFile:
    """One owner in a file.

    Args:
        folder: of the license cache.
        secrets_: the 32 bytes of LICENSE_ENCRYPTION_KEY, then of the one before; none = in the
            clear.
    """

    def __init__(self, folder: Path, secrets_: Sequence[bytes]) -> None:
        self._path = folder / FILE_NAME
        self._keys = [AESGCM(_derived(secret)) for secret in secrets_]

    def stamp(self) -> Stamp | None:
        """Return what changes when the file does, None where there is none."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def read(self) -> Owner | None:
        """Return the owner, None where there is none that these keys open."""
        try:
            with self._path.open("rb") as file:
                sealed = file.read(_MAX_BYTES)
        except OSError:
            return None
        text = self._opened(sealed)
        return None if text is None else _parsed(text)

    def write(self, owner: Owner) -> None:
        """Keep an owner instead of the one before, all of it or nothing.

        Raises:
            OSError: the folder cannot be written.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(f"{FILE_NAME}.{secrets.token_hex(4)}")
        text = json.dumps({"licenseKey": owner.license_key, "email": owner.email}).encode()
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(self._sealed(text))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        finally:
            draft.unlink(missing_ok=True)

    def _sealed(self, text: bytes) -> bytes:
        if not self._keys:
            return text
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._keys[0].encrypt(nonce, text, _PURPOSE)

    def _opened(self, sealed: bytes) -> bytes | None:
        if not self._keys:
            return sealed
        for key in self._keys:
            try:
                return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _PURPOSE)
            except (InvalidTag, ValueError):
                continue
        return None


def _derived(secret: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(secret)


def _parsed(text: bytes) -> Owner | None:
    try:
        members = json.loads(text)
        return Owner(str(members["licenseKey"]), str(members["email"]))
    except (ValueError, KeyError, TypeError):
        return None
