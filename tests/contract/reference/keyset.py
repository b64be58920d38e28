"""Key sets: written and root-signed, read, and taken in as a chain that starts at `trust.json`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from reference.encoding import JsonObject, Members, b64url, compact, from_b64url, read_object
from reference.flaw import FlawError, require
from reference.signature import Pair, header, is_small_order, kid_in, kid_of, verifies

TYP = "license-keyset+jwt"
MAX_EPOCH = 2**31 - 1
STATUSES = ("active", "verify_only", "revoked")

_Key = TypeVar("_Key")


@dataclass(frozen=True)
class SigningKey:
    """An online key as a key set lists it; times in Unix seconds."""

    kid: str
    public: bytes
    use: tuple[str, ...]
    not_before: int
    not_after: int
    status: str


@dataclass(frozen=True)
class Entry:
    """One signature entry of a document, not yet verified."""

    kid: str
    signature: bytes
    message: bytes


@dataclass(frozen=True)
class KeySet:
    """A key set of sound structure; `roots` are public keys by kid, `body` is as encoded."""

    iss: str
    epoch: int
    threshold: int
    roots: dict[str, bytes]
    keys: dict[str, SigningKey]
    body: str
    entries: tuple[Entry, ...]


def signed(payload: JsonObject | str, roots: Iterable[Pair], typ: str = TYP) -> JsonObject:
    """Write a key set document signed by these roots."""
    text = payload if isinstance(payload, str) else compact(payload)
    body = b64url(text.encode())
    return {"payload": body, "signatures": [signature_entry(body, root, typ) for root in roots]}


def signature_entry(body: str, root: Pair, typ: str = TYP) -> JsonObject:
    """Write one root's signature over an encoded payload."""
    protected = b64url(header(root.kid, typ))
    signature = root.sign(f"{protected}.{body}".encode())
    return {"protected": protected, "signature": b64url(signature)}


def read_chain(
    trust: object,
    stored: Sequence[object] = (),
    offered: Sequence[object] = (),
    filed: Sequence[object] = (),
) -> KeySet:
    """Take in the stored sets, then the offered ones, and return the newest; all or nothing.

    Those of a license file (`filed`) tell the way from the vendor's first set on: what is below
    the newest that is known by then is left out.

    Raises:
        FlawError: the first rule that any of the sets breaks.
    """
    first = newest = _read(trust)
    _require_threshold(first, first, "signatures-new")
    for document in stored:
        if (later := _read(document)).epoch >= first.epoch:
            newest = _follow(newest, later)
    for document in offered:
        newest = _follow(newest, _read(document))
    floor = newest.epoch
    for later in [_read(document) for document in filed]:
        if later.epoch >= floor:
            newest = _follow(newest, later)
    return newest


def _follow(current: KeySet, later: KeySet) -> KeySet:
    require(later.iss == current.iss, "issuer")
    require(later.epoch >= current.epoch, "epoch-lower")
    if later.epoch == current.epoch:
        require(later.body == current.body, "epoch-equal")
        return current
    _require_threshold(current, later, "signatures-old")
    _require_threshold(later, later, "signatures-new")
    return later


def _require_threshold(judge: KeySet, document: KeySet, slug: str) -> None:
    signers = {
        judge.roots[entry.kid]
        for entry in document.entries
        if entry.kid in judge.roots
        and verifies(judge.roots[entry.kid], entry.signature, entry.message)
    }
    require(len(signers) >= judge.threshold, slug)


def _read(document: object) -> KeySet:
    require(isinstance(document, dict), "structure")
    outer = Members(dict(document) if isinstance(document, dict) else {}, "structure")
    body = outer.text("payload", high=65536)
    entries = tuple(_entry(entry, body) for entry in outer.inners("signatures"))
    inner = Members(read_object(from_b64url(body)), "structure")
    require(inner.integer("v") == 1, "version")
    inner.integer("issued")
    inner.integer("expires")
    keyset = KeySet(
        iss=inner.text("iss"),
        epoch=inner.integer("epoch", 1, MAX_EPOCH),
        threshold=inner.integer("threshold"),
        roots=_by_kid([(root.text("kid"), _public(root)) for root in inner.inners("roots")]),
        keys=_by_kid([(key.text("kid"), _signing_key(key)) for key in inner.inners("keys")]),
        body=body,
        entries=entries,
    )
    require(1 <= keyset.threshold <= len(keyset.roots), "threshold")
    require(not keyset.roots.keys() & keyset.keys.keys(), "duplicate-key")
    return keyset


def _entry(entry: Members, body: str) -> Entry:
    protected = entry.text("protected", 0, 256)
    kid = kid_in(from_b64url(protected), TYP)
    signature = from_b64url(entry.text("signature", 0, 256))
    if kid is None:
        raise FlawError("header")
    require(len(signature) == 64, "structure")
    return Entry(kid, signature, f"{protected}.{body}".encode())


def _public(key: Members) -> bytes:
    public = from_b64url(key.text("pub"))
    require(len(public) == 32 and not is_small_order(public), "public-key")
    require(key.text("kid") == kid_of(public), "kid")
    return public


def _signing_key(key: Members) -> SigningKey:
    status = key.text("status")
    require(status in STATUSES, "structure")
    return SigningKey(
        kid=key.text("kid"),
        public=_public(key),
        use=tuple(key.texts("use")),
        not_before=key.integer("not_before"),
        not_after=key.integer("not_after"),
        status=status,
    )


def _by_kid(pairs: list[tuple[str, _Key]]) -> dict[str, _Key]:
    found = dict(pairs)
    require(len(found) == len(pairs), "duplicate-key")
    return found
