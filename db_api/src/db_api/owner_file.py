"""The owner whose license was activated here: for the next start, and for a service that runs.

The license cache holds neither key nor email, so that whoever activates a license by
`db-api activate` or over HTTP would have to write both into the environment too. They are kept
beside the cache instead, sealed with the same LICENSE_ENCRYPTION_KEY (in the clear where there is
none, which production refuses), for this user's eyes alone.
"""

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from db_api.sealing import RootKeys

FILE_NAME: Final = "license-owner"
_PURPOSE: Final = "license-owner/v1"
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
        keys: the root secret; None = in the clear.
    """

    def __init__(self, folder: Path, keys: RootKeys | None) -> None:
        self._path = folder / FILE_NAME
        self._sealer = keys.sealer(_PURPOSE) if keys else None

    def stamp(self) -> Stamp | None:
        """Return what changes when the file does, None where there is none."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def read(self) -> Owner | None:
        """Return the owner, None where there is none that these keys open."""
        sealed = self._content()
        if sealed is None:
            return None
        try:
            return _parsed(self._opened(sealed))
        except ValueError:  # another key, or no text
            return None

    def renew(self) -> None:
        """Seal anew what the earlier secret has sealed, so that it can be forgotten.

        Raises:
            OSError: the folder cannot be written.
        """
        sealed = self._content()
        if sealed and self._sealer and self._sealer.is_outdated(sealed, FILE_NAME):
            owner = self.read()
            if owner is not None:
                self.write(owner)

    def write(self, owner: Owner) -> None:
        """Keep an owner instead of the one before, all of it or nothing.

        Raises:
            OSError: the folder cannot be written.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(f"{FILE_NAME}.{secrets.token_hex(4)}")
        text = json.dumps({"licenseKey": owner.license_key, "email": owner.email})
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(self._sealed(text))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        finally:
            draft.unlink(missing_ok=True)

    def _content(self) -> bytes | None:
        try:
            with self._path.open("rb") as file:
                return file.read(_MAX_BYTES)
        except OSError:
            return None

    def _opened(self, sealed: bytes) -> str:
        if self._sealer is None:
            return sealed.decode()
        return self._sealer.unseal(sealed, FILE_NAME)

    def _sealed(self, text: str) -> bytes:
        if self._sealer is None:
            return text.encode()
        return self._sealer.seal(text, FILE_NAME)


def _parsed(text: str) -> Owner | None:
    try:
        members = json.loads(text)
        return Owner(str(members["licenseKey"]), str(members["email"]))
    except (ValueError, KeyError, TypeError):
        return None
