"""Signed checkpoints of the audit log: what its head was, kept where the database is not.

A compact JWS of typ `audit-checkpoint+jwt` by the key that signs decisions. Whoever rewrites the
log, or puts an old backup in its place, cannot make one that fits.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from license_server.audit import Head, canonical_json
from license_server.errors import MalformedJson
from license_server.keyset_history import KeySetHistory
from license_server.keysets import KeyStatus, PublishedKey
from license_server.signing import (
    AUDIT_CHECKPOINT,
    CompactRejected,
    CompactSigner,
    SigningKey,
    verify_compact,
)
from license_server.strict_json import read_object

VERSION = 1
_LAST_SECOND: Final = 253_402_300_799
"""The last second of the year 9999 (contract, "Writing and reading")."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the log's head was.

    Attributes:
        issuer: id of the server.
        head: number and hash of its last entry.
        at: when it was looked at.
    """

    issuer: str
    head: Head
    at: datetime


class _Claims(BaseModel):
    """Mirrors `wire/schemas/checkpoint-claims.json`."""

    model_config = ConfigDict(strict=True, frozen=True)

    v: int = Field(ge=VERSION, le=VERSION)  # pydantic takes true for Literal[1]
    iss: str = Field(min_length=1, max_length=64)
    seq: int = Field(ge=0)
    hash: str = Field(pattern="^[0-9a-f]{64}$")
    ts: int = Field(ge=0, le=_LAST_SECOND)


class CheckpointSigner:
    """Signs checkpoints.

    Args:
        key: the signing key.
        issuer: id of the server.
    """

    def __init__(self, key: SigningKey, issuer: str) -> None:
        self._signer = CompactSigner(key, AUDIT_CHECKPOINT)
        self._issuer = issuer

    def sign(self, head: Head, now: datetime) -> str:
        """Return the checkpoint of a log that ends with `head`."""
        claims = {
            "v": VERSION,
            "iss": self._issuer,
            "seq": head.seq,
            "hash": head.hash.hex(),
            "ts": int(now.timestamp()),
        }
        return self._signer.sign(canonical_json(claims).encode("ascii"))


def read_checkpoint(text: str, keysets: KeySetHistory) -> Checkpoint:
    """Return a checkpoint that a key of the server has signed.

    Raises:
        CompactRejected: it is malformed, or no key that the newest key set lists for it signed it.
    """
    newest = keysets.newest.content
    signer: list[PublishedKey] = []

    def public_key_of(kid: str) -> bytes | None:
        listed = newest.published(kid)
        is_good = listed is not None and listed.status is not KeyStatus.REVOKED
        if listed is None or not is_good or AUDIT_CHECKPOINT not in listed.use:
            return None
        signer.append(listed)
        return listed.public

    read = _read(verify_compact(text, AUDIT_CHECKPOINT, public_key_of))
    if not signer[0].not_before <= read.at.timestamp() < signer[0].not_after:
        raise CompactRejected("it is of a time at which its key was not valid")
    if read.issuer != newest.iss:
        raise CompactRejected(f"it is of the server {read.issuer}, not of {newest.iss}")
    return read


def _read(payload: bytes) -> Checkpoint:
    try:
        claims = _Claims.model_validate(read_object(payload))
    except (MalformedJson, ValidationError) as error:
        raise CompactRejected(
            "it is no checkpoint of version 1; if a newer license server made it, update this one"
        ) from error
    head = Head(claims.seq, bytes.fromhex(claims.hash))
    return Checkpoint(claims.iss, head, datetime.fromtimestamp(claims.ts, UTC))
