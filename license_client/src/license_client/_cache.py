"""The cache file: the decision, its key sets, the machine's id and the marks of time, as bytes.

Never the license key or the email. The bytes are sealed with the customer's encryption key, or
clear without one. Sealing keeps the content private; what makes it trustworthy is the vendor's
signature inside. `_store` gives it its file.

Mirrors `license_server/wire/schemas/cache-file.json`.
"""

from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from license_client._json import (
    JsonObject,
    MalformedError,
    from_base64url,
    inner,
    inners,
    integer,
    read_object,
    text,
    to_base64url,
    write,
)
from license_client._signatures import sha256
from license_client._verify import MAX_BYTES as MAX_TOKEN_BYTES
from license_client.errors import CacheUnreadableError
from license_client.policy import HighWater, Mark

VERSION: Final = 1
MAX_BYTES: Final = 128 * 1024
KEY_BYTES: Final = 32
_SALT_BYTES: Final = 16
_IV_BYTES: Final = 12  # NIST SP 800-38D section 5.2.1.1
_TAG_BYTES: Final = 16
_LABEL: Final = "license-cache-v1"
_SEALED: Final = "A256GCM"
_CLEAR: Final = "none"


class EncryptionKey:
    """The customer's key for the cache file: 32 bytes that never show in a repr."""

    __slots__ = ("_key", "kid")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.kid = sha256(key).hex()[:8]

    def cipher(self, salt: bytes) -> AESGCM:
        """Return the cipher of one file: each has a salt of its own."""
        derivation = HKDF(SHA256(), KEY_BYTES, salt, _LABEL.encode("ascii"))
        return AESGCM(derivation.derive(self._key))

    def __repr__(self) -> str:
        return f"EncryptionKey(kid={self.kid!r})"


class KeyRing(NamedTuple):
    """The keys for the cache: `current` writes, `previous` is read only, for rotation."""

    current: EncryptionKey | None = None
    previous: EncryptionKey | None = None

    def find(self, kid: str) -> EncryptionKey:
        """Return the key that a file was sealed with.

        Raises:
            MalformedError: it is neither.
        """
        for key in self:
            if key is not None and key.kid == kid:
                return key
        raise MalformedError("sealed with a key that is not configured", rule="key")


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
        members, outdated = _unseal(data, keys)
    except MalformedError as error:
        raise _unreadable(error, "structure") from error
    try:
        return Loaded(_parse(members), outdated)
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
    return _seal(members, keys)


def _seal(document: JsonObject, keys: KeyRing) -> bytes:
    """Return the bytes of a cache file, under a fresh salt and a fresh iv."""
    if keys.current is None:
        return _encoded({"v": VERSION, "enc": _CLEAR, "doc": document})
    from secrets import token_bytes  # noqa: PLC0415 - a start from the cache writes nothing

    salt, iv = token_bytes(_SALT_BYTES), token_bytes(_IV_BYTES)
    kid, salt_text, iv_text = keys.current.kid, to_base64url(salt), to_base64url(iv)
    sealed = keys.current.cipher(salt).encrypt(
        iv, _encoded(document), _associated(kid, salt_text, iv_text)
    )
    header: JsonObject = {"kid": kid, "salt": salt_text, "iv": iv_text}
    return _encoded({"v": VERSION, "enc": _SEALED, **header, "ct": to_base64url(sealed)})


def _unseal(data: bytes, keys: KeyRing) -> tuple[JsonObject, bool]:
    """Return what a cache file holds, and whether it should be sealed anew."""
    if len(data) > MAX_BYTES:
        raise MalformedError(f"longer than {MAX_BYTES} bytes", rule="too-long")
    envelope = read_object(data)
    if integer(envelope, "v") != VERSION:
        raise MalformedError(
            "written by a newer version of this program: update the program", rule="version"
        )
    kind = text(envelope, "enc")
    if kind == _CLEAR:
        return inner(envelope, "doc"), keys.current is not None
    if kind != _SEALED:
        raise MalformedError("enc: expected A256GCM or none", rule="encryption")
    return _open(envelope, keys)


def _open(envelope: JsonObject, keys: KeyRing) -> tuple[JsonObject, bool]:
    kid, salt_text, iv_text = (text(envelope, name) for name in ("kid", "salt", "iv"))
    salt, iv = from_base64url(salt_text), from_base64url(iv_text)
    sealed = from_base64url(text(envelope, "ct", maximum=MAX_BYTES))
    if len(salt) != _SALT_BYTES or len(iv) != _IV_BYTES or len(sealed) < _TAG_BYTES:
        raise MalformedError("salt, iv, ct: of another length")
    key = keys.find(kid)
    try:
        plaintext = key.cipher(salt).decrypt(iv, sealed, _associated(kid, salt_text, iv_text))
    except InvalidTag as error:
        raise MalformedError("changed since it was written", rule="decrypt") from error
    return _read_plaintext(plaintext), key is not keys.current


def _read_plaintext(plaintext: bytes) -> JsonObject:
    try:
        return read_object(plaintext)
    except MalformedError as error:
        raise MalformedError(str(error), rule="plaintext") from error


def _associated(*header: str) -> bytes:
    return ".".join((_LABEL, *header)).encode("utf-8")


def _encoded(document: JsonObject) -> bytes:
    return write(document).encode("utf-8")


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
