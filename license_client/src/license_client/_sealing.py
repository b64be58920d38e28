"""The cache file as bytes: sealed with the customer's encryption key, or clear without one.

Sealing keeps the content private; what makes it trustworthy is the vendor's signature inside.
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
    integer,
    read_object,
    text,
    to_base64url,
    write,
)
from license_client._signatures import sha256

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


class Opened(NamedTuple):
    """What a cache file holds; `outdated` asks for it to be sealed anew with the current key."""

    document: JsonObject
    outdated: bool


def seal(document: JsonObject, keys: KeyRing) -> bytes:
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


def unseal(data: bytes, keys: KeyRing) -> Opened:
    """Read the bytes of a cache file.

    Raises:
        MalformedError: damaged, too long, of a newer version, or sealed with another key.
    """
    if len(data) > MAX_BYTES:
        raise MalformedError(f"longer than {MAX_BYTES} bytes", rule="too-long")
    envelope = read_object(data)
    if integer(envelope, "v") != VERSION:
        raise MalformedError(
            "written by a newer version of this program: update the program", rule="version"
        )
    kind = text(envelope, "enc")
    if kind == _CLEAR:
        return Opened(inner(envelope, "doc"), outdated=keys.current is not None)
    if kind != _SEALED:
        raise MalformedError("enc: expected A256GCM or none", rule="encryption")
    return _open(envelope, keys)


def _open(envelope: JsonObject, keys: KeyRing) -> Opened:
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
    return Opened(_read_plaintext(plaintext), outdated=key is not keys.current)


def _read_plaintext(plaintext: bytes) -> JsonObject:
    try:
        return read_object(plaintext)
    except MalformedError as error:
        raise MalformedError(str(error), rule="plaintext") from error


def _associated(*header: str) -> bytes:
    return ".".join((_LABEL, *header)).encode("utf-8")


def _encoded(document: JsonObject) -> bytes:
    return write(document).encode("utf-8")
