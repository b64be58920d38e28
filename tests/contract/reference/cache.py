"""The cache file `license.json`: sealed under the configured key, or clear when there is none."""

import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from reference.encoding import JsonObject, Members, b64url, compact, from_b64url, read_object
from reference.flaw import FlawError, require

MAX_FILE_BYTES = 128 * 1024


def kid_of_key(key: bytes) -> str:
    """Name an encryption key."""
    return hashlib.sha256(key).hexdigest()[:8]


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, b"license-cache-v1").derive(key))


def sealed(document: JsonObject | bytes, key: bytes, salt: bytes, iv: bytes) -> JsonObject:
    """Seal a plaintext (a document, or raw bytes for the cases that are not one)."""
    plain = document if isinstance(document, bytes) else compact(document).encode()
    parts = {"kid": kid_of_key(key), "salt": b64url(salt), "iv": b64url(iv)}
    aad = ".".join(["license-cache-v1", *parts.values()]).encode()
    sealed_bytes = _cipher(key, salt).encrypt(iv, plain, aad)
    return {"v": 1, "enc": "A256GCM", **parts, "ct": b64url(sealed_bytes)}


def clear(document: JsonObject) -> JsonObject:
    """Write a plaintext as it stands, for programs without an encryption key."""
    return {"v": 1, "enc": "none", "doc": document}


def read_file(raw: bytes, keys: list[bytes]) -> JsonObject:
    """Read a cache file with the current key first and the previous one behind it.

    Raises:
        FlawError: the first rule that the file breaks.
    """
    require(len(raw) <= MAX_FILE_BYTES, "too-long")
    outer = Members(read_object(raw), "structure")
    require(outer.integer("v") == 1, "version")
    enc = outer.text("enc")
    require(enc in ("A256GCM", "none"), "encryption")
    document = outer.inner("doc").value if enc == "none" else _opened(outer, keys)
    _require_plaintext(Members(document, "plaintext"))
    return document


def _opened(outer: Members, keys: list[bytes]) -> JsonObject:
    kid, salt, iv = (outer.text(name) for name in ("kid", "salt", "iv"))
    ct = from_b64url(outer.text("ct", high=MAX_FILE_BYTES))
    raw_salt, raw_iv = from_b64url(salt), from_b64url(iv)
    require(len(raw_salt) == 16 and len(raw_iv) == 12 and len(ct) >= 16, "structure")
    key = next((key for key in keys if kid_of_key(key) == kid), None)
    if key is None:
        raise FlawError("key")
    aad = f"license-cache-v1.{kid}.{salt}.{iv}".encode()
    try:
        plain = _cipher(key, raw_salt).decrypt(raw_iv, ct, aad)
    except InvalidTag as error:
        raise FlawError("decrypt") from error
    try:
        return read_object(plain)
    except FlawError as error:
        raise FlawError("plaintext") from error


def _require_plaintext(document: Members) -> None:
    members = document.value
    require({"decision", "received", "high_water"} <= members.keys(), "plaintext")
    if members["decision"] is not None:
        document.text("decision", high=8192)
    document.inners("keyset")
    document.text("instance_id")
    if members["received"] is not None:
        _require_mark(document.inner("received"))
    if members["high_water"] is not None:
        document.inner("high_water").integer("at")
        _require_mark(document.inner("high_water"))


def _require_mark(mark: Members) -> None:
    mark.text("boot", low=0)
    mark.integer("boottime")
