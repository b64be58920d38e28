"""What the cache file says: the decision, its key sets, the machine's id and the marks of time.

Never the license key or the email. `_sealing` gives it its bytes, `_store` its file.
"""

from typing import NamedTuple

from license_client import _sealing
from license_client._json import (
    JsonObject,
    MalformedError,
    inner,
    inners,
    integer,
    text,
)
from license_client._sealing import KeyRing
from license_client._verify import MAX_BYTES as MAX_TOKEN_BYTES
from license_client.errors import CacheUnreadableError
from license_client.policy import HighWater, Mark


class Document(NamedTuple):
    """The content of a cache file, unverified.

    Attributes:
        decision: a compact JWS, of a decision or of a license file, or None.
        key_sets: those above the shipped anchor, oldest first, as they travel.
        instance_id: of the deployment; made once and kept.
        received: when the decision was asked for; None for a license file.
        high_water: highest time recorded.
    """

    decision: str | None
    key_sets: tuple[JsonObject, ...]
    instance_id: str
    received: Mark | None
    high_water: HighWater | None

    def without_decision(self) -> "Document":
        """Return what remains when a deployment is given up."""
        return self._replace(decision=None, received=None, high_water=None)


class Loaded(NamedTuple):
    """A document as read; `outdated` asks for it to be sealed anew."""

    document: Document
    outdated: bool


def read_document(data: bytes, keys: KeyRing) -> Loaded:
    """Read a cache file.

    Raises:
        CacheUnreadableError: damaged, or sealed with another key.
    """
    try:
        opened = _sealing.unseal(data, keys)
    except MalformedError as error:
        raise _unreadable(error, "structure") from error
    try:
        return Loaded(_parse(opened.document), opened.outdated)
    except MalformedError as error:
        raise _unreadable(error, "plaintext") from error


def write_document(document: Document, keys: KeyRing) -> bytes:
    """Return the bytes of a cache file."""
    received, high_water = document.received, document.high_water
    members: JsonObject = {
        "decision": document.decision,
        "keyset": list(document.key_sets),
        "instance_id": document.instance_id,
        "received": _write_mark(received) if received else None,
        "high_water": {"at": high_water.at, **_write_mark(high_water.mark)} if high_water else None,
    }
    return _sealing.seal(members, keys)


def _parse(members: JsonObject) -> Document:
    return Document(
        _parse_decision(members),
        tuple(inners(members, "keyset")),
        text(members, "instance_id"),
        _parse_mark(inner(members, "received")) if _is_there(members, "received") else None,
        _parse_high_water(inner(members, "high_water"))
        if _is_there(members, "high_water")
        else None,
    )


def _is_there(members: JsonObject, name: str) -> bool:
    """Ask whether a member is not null; it may not be left out."""
    if name not in members:
        raise MalformedError(f"{name}: missing")
    return members[name] is not None


def _parse_decision(members: JsonObject) -> str | None:
    if not _is_there(members, "decision"):
        return None
    return text(members, "decision", maximum=MAX_TOKEN_BYTES)


def _parse_high_water(members: JsonObject) -> HighWater:
    return HighWater(integer(members, "at"), _parse_mark(members))


def _parse_mark(members: JsonObject) -> Mark:
    return Mark(text(members, "boot", minimum=0), integer(members, "boottime"))


def _write_mark(mark: Mark) -> JsonObject:
    return {"boot": mark.boot, "boottime": mark.boottime}


def _unreadable(error: MalformedError, rule: str) -> CacheUnreadableError:
    return CacheUnreadableError(
        f"the license cache cannot be read: {error}; activate again, or set the "
        "LICENSE_ENCRYPTION_KEY that it was sealed with",
        rule=error.rule or rule,
    )
