"""License files: signed decisions for machines that never go online (contract, "Licence files").

A file cannot be recalled before its end on a machine that stays offline.
"""

import base64
import json
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from license_server.codes import Code
from license_server.decisions import (
    VERSION,
    Claims,
    Origin,
    encode_claims,
    new_decision_id,
    terms_of,
    tie,
)
from license_server.emails import Email
from license_server.errors import FieldError, InvalidField, SigningUnavailable, StateConflict
from license_server.evaluation import Found
from license_server.keyset_history import KeySetHistory
from license_server.license_keys import LicenseKey
from license_server.licenses import Kind, License, Status
from license_server.products import MAX_OFFLINE_GRACE
from license_server.signing import LICENSE_FILE, CompactSigner, SigningKey

FORMAT: Final = 1
LONGEST: Final = MAX_OFFLINE_GRACE
"""400 days, as the offline grace of a decision."""

_BEGIN: Final = "-----BEGIN LICENSE FILE-----"
_END: Final = "-----END LICENSE FILE-----"
_LINE: Final = 64


@dataclass(frozen=True, slots=True)
class FileOrder:
    """What a license file is asked for.

    Attributes:
        key: a key of the license; the server keeps none, so it has to be presented.
        email: of the owner.
        instance_id: the one machine that it is for; None = any of the owner's.
        lasts: how long it works.
    """

    key: LicenseKey
    email: Email
    instance_id: str | None
    lasts: timedelta


class LicenseFileIssuer:
    """Signs license files under one key of the newest key set.

    Args:
        key: the private signing key.
        keysets: of this server; they travel in the file.

    Raises:
        KeySetRejected: the newest key set does not let servers sign files with the key.
    """

    def __init__(self, key: SigningKey, keysets: KeySetHistory) -> None:
        self._published = keysets.require_signing_key(key.kid, LICENSE_FILE)
        self._signer = CompactSigner(key, LICENSE_FILE)
        self._keysets = keysets

    def issue(self, found: Found, order: FileOrder, now: datetime) -> str:
        """Return the armored file.

        Raises:
            InvalidField: it would last too long.
            StateConflict: the license is not usable now, or a trial that nobody has started.
            SigningUnavailable: the signing key is not valid at `now`.
        """
        if not self._published.not_before <= now.timestamp() < self._published.not_after:
            raise SigningUnavailable("the signing key is not valid at this time: rotate it")
        newest = self._keysets.newest.content
        origin = Origin(newest.iss, new_decision_id(), newest.epoch)
        signed = self._signer.sign(encode_claims(file_claims(found, order, origin, now)))
        return armored({"v": FORMAT, "keyset": self._keysets.above(0), "file": signed})


def file_claims(found: Found, order: FileOrder, origin: Origin, now: datetime) -> Claims:
    """Return the claims of a file, in the contract's order.

    Raises:
        InvalidField: it would last too long.
        StateConflict: the license is not usable now, or a trial that nobody has started.
    """
    keyed = HMAC(order.key.symbols.encode("ascii"), SHA256())
    lic, ends = found.license, int(_end(found.license, order.lasts, now).timestamp())
    return {
        "v": VERSION,
        "iss": origin.issuer,
        "aud": lic.product,
        "jti": origin.decision_id,
        "sub": lic.license_id,
        "iat": int(now.timestamp()),
        "ref": ends,
        "exp": ends,
        "grc": ends,
        "ins": order.instance_id,
        "kb": tie(keyed, "kb1.", lic.license_id),
        "own": tie(keyed, "own1.", order.email.address),
        "val": True,
        "code": Code.VALID.value,
        "wrn": [],
        **terms_of(found, now),
        "kse": origin.keyset_epoch,
    }


LoadIssuer = Callable[[], LicenseFileIssuer]
"""Reads the signing key when a file is asked for: whoever only looks at licenses needs none."""


def armored(content: dict[str, object]) -> str:
    """Return a license file as text that survives a mail: base64 between two marks."""
    packed = base64.b64encode(json.dumps(content, separators=(",", ":")).encode("ascii"))
    return "\n".join([_BEGIN, *textwrap.wrap(packed.decode("ascii"), _LINE), _END, ""])


def _end(license_: License, lasts: timedelta, now: datetime) -> datetime:
    """Return the end of a file: never after the license's own, renewal grace included."""
    if not timedelta() < lasts <= LONGEST:
        expected = f"a time of at most {LONGEST.days} days is expected"
        raise InvalidField(FieldError("lasts_seconds", expected))
    if license_.is_waiting_trial():
        raise StateConflict("nobody has started this trial: its end is not known yet")
    status = license_.status(now)
    if status not in {Status.ACTIVE, Status.TRIAL} or now < license_.starts_at:
        raise StateConflict("only a license that is usable now can have a file")
    if license_.expires_at is None:
        return now + lasts
    grace = timedelta() if license_.kind is Kind.TRIAL else license_.renewal_grace
    return min(now + lasts, license_.expires_at + grace)
