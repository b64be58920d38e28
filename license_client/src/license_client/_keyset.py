"""Key sets: which keys may sign decisions, as the offline root keys say (one file, after TUF).

`trust.json`, shipped with the application, is itself a root-signed key set and the anchor. Newer
sets come with answers; those that change the roots, and the newest, are kept as a chain and
verified again from the anchor each time they are loaded. Signatures are `_signatures`' work.

Mirrors `keyset-document.json` and `keyset-payload.json` of `license_server/wire/schemas/`.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, TypeVar

from license_client._codes import UPDATE
from license_client._json import (
    Json,
    JsonObject,
    MalformedError,
    from_base64url,
    inners,
    integer,
    read_object,
    text,
    texts,
    to_base64url,
)
from license_client._signatures import (
    SIGNATURE_BYTES,
    header_bytes,
    key_id,
    read_kid,
    require_safe,
    verifies,
)
from license_client.errors import KeySetRejectedError

KIND: Final = "license-keyset"
VERSION: Final = 1
MAX_EPOCH: Final = 2**31 - 1
MAX_ENTRY: Final = 256  # characters; header and signature are shorter
MAX_PAYLOAD: Final = 65_536  # characters; an answer is no longer
_STATUSES: Final = ("active", "verify_only", "revoked")


class SigningKey(NamedTuple):
    """An online key of the vendor.

    Attributes:
        kid: 16 lower-case hex digits, the hash of `public`.
        public: 32 raw bytes.
        uses: kinds of artefact, e.g. "license-decision".
        not_before: first Unix second of a document that it may have signed.
        not_after: the second after the last.
        revoked: it signs nothing any more, and never did.
    """

    kid: str
    public: bytes
    uses: frozenset[str]
    not_before: int
    not_after: int
    revoked: bool

    def covers(self, issued_at: int) -> bool:
        """Ask whether it signed at `issued_at`, the document's own time: no clock is asked."""
        return self.not_before <= issued_at < self.not_after


_Key = TypeVar("_Key", bytes, SigningKey)


class KeySet(NamedTuple):
    """The content of a key set.

    Attributes:
        payload: its exact text; two sets of one epoch are identical when these are equal.
        expires: Unix second after which a newer one is asked for; it refuses nothing.
        roots: public keys by kid, 32 raw bytes each.
    """

    payload: str
    issuer: str
    epoch: int
    expires: int
    threshold: int
    roots: dict[str, bytes]
    keys: dict[str, SigningKey]

    def has_roots_of(self, other: "KeySet") -> bool:
        """Ask whether both trust the same roots by the same threshold."""
        return self.threshold == other.threshold and self.roots == other.roots


class _Entry(NamedTuple):
    kid: str
    signature: bytes
    document: JsonObject


class _Signed(NamedTuple):
    key_set: KeySet
    entries: tuple[_Entry, ...]


class Trust(NamedTuple):
    """The chain from the shipped anchor to the newest key set.

    Attributes:
        anchor: the content of trust.json.
        links: newer sets, oldest first: all that changed the roots, and the newest.
        documents: the same as they travel, for the cache.
    """

    anchor: KeySet
    links: tuple[KeySet, ...] = ()
    documents: tuple[JsonObject, ...] = ()

    @property
    def current(self) -> KeySet:
        """The newest key set."""
        return self.links[-1] if self.links else self.anchor


def load_anchor(data: bytes) -> Trust:
    """Read trust.json, which must be signed by its own roots.

    Raises:
        KeySetRejectedError: malformed or not signed so.
    """
    try:
        document = read_object(data)
    except MalformedError as error:
        raise KeySetRejectedError(f"trust.json: {error}", rule=error.rule) from error
    signed = _read(document)
    _require_signed_by(signed.key_set, signed, "signatures-new")
    return Trust(signed.key_set)


def resume(anchor: Trust, documents: Iterable[JsonObject]) -> Trust:
    """Take in a cached chain; what the shipped anchor has overtaken is passed over.

    Raises:
        KeySetRejectedError: the chain does not verify from the anchor.
    """
    floor = anchor.current.epoch
    return _extend(anchor, [each for each in map(_read, documents) if each.key_set.epoch >= floor])


def extend(trust: Trust, documents: Iterable[JsonObject]) -> Trust:
    """Take in the key sets of an answer, oldest first.

    Raises:
        KeySetRejectedError: malformed, older than the current one, different at the same epoch,
            or not signed by enough roots.
    """
    return _extend(trust, map(_read, documents))


def _extend(trust: Trust, sets: Iterable[_Signed]) -> Trust:
    for signed in sets:
        trust = _advance(trust, signed)
    return trust


def _advance(trust: Trust, signed: _Signed) -> Trust:
    current, new = trust.current, signed.key_set
    if new.issuer != current.issuer:
        raise _rejected("issuer")
    if new.epoch < current.epoch:
        raise _rejected("epoch-lower")
    if new.epoch == current.epoch:
        if new.payload != current.payload:
            raise _rejected("epoch-equal")
        return trust
    # A change of roots needs the old and the new; without a change both are the same question.
    old_roots = _require_signed_by(current, signed, "signatures-old")
    new_roots = _require_signed_by(new, signed, "signatures-new")
    # What counts is kept and no more: whoever passes a set on could add entries without end, and
    # the cache would outgrow what a reader takes.
    counted: list[Json] = list({**old_roots, **new_roots}.values())
    return _append(trust, new, {"payload": new.payload, "signatures": counted})


def _append(trust: Trust, new: KeySet, document: JsonObject) -> Trust:
    """Add a set; the newest so far may go if it changed no root, for the chain holds without."""
    links, documents = trust.links, trust.documents
    if links:
        before = links[-2] if len(links) > 1 else trust.anchor
        if links[-1].has_roots_of(before):
            links, documents = links[:-1], documents[:-1]
    return Trust(trust.anchor, (*links, new), (*documents, document))


def _require_signed_by(authority: KeySet, signed: _Signed, rule: str) -> dict[str, JsonObject]:
    """Refuse a set that fewer than `authority.threshold` distinct roots of it signed.

    Returns:
        The signatures of these roots, as they travel, by kid: distinct kids are distinct keys.
    """
    found: dict[str, JsonObject] = {}
    for kid, signature, document in signed.entries:
        public = authority.roots.get(kid)
        if public is None or kid in found:
            continue
        message = f"{to_base64url(header_bytes(KIND, kid))}.{signed.key_set.payload}"
        if verifies(public, signature, message.encode("ascii")):
            found[kid] = document
    if len(found) < authority.threshold:
        raise _rejected(rule)
    return found


def _rejected(rule: str) -> KeySetRejectedError:
    advice = "Check that LICENSE_SERVER_URL and the trust file belong to the same vendor"
    return KeySetRejectedError(
        f"the key set that was presented breaks the rule {rule!r}; the license is unchanged. "
        f"{UPDATE if rule == 'version' else advice}",
        rule=rule,
    )


def _read(document: JsonObject) -> _Signed:
    try:
        return _parse(document)
    except MalformedError as error:
        raise _rejected(error.rule or "structure") from error


def _parse(document: JsonObject) -> _Signed:
    payload = text(document, "payload", maximum=MAX_PAYLOAD)
    entries = tuple(_parse_entry(entry) for entry in inners(document, "signatures"))
    return _Signed(_parse_payload(payload, read_object(from_base64url(payload))), entries)


def _parse_entry(entry: JsonObject) -> _Entry:
    protected, signature = (
        text(entry, name, minimum=0, maximum=MAX_ENTRY) for name in ("protected", "signature")
    )
    kid, data = read_kid(from_base64url(protected), KIND), from_base64url(signature)
    if len(data) != SIGNATURE_BYTES:
        raise MalformedError(f"signature: expected {SIGNATURE_BYTES} bytes")
    return _Entry(kid, data, {"protected": protected, "signature": signature})


def _parse_payload(payload: str, members: JsonObject) -> KeySet:
    if integer(members, "v") != VERSION:
        raise MalformedError("v: expected 1", rule="version")
    integer(members, "issued")
    roots = _by_kid([_parse_public(root) for root in inners(members, "roots")])
    keys = _by_kid([(key.kid, key) for key in map(_parse_key, inners(members, "keys"))])
    threshold = integer(members, "threshold")
    if not 1 <= threshold <= len(roots):
        raise MalformedError("threshold: expected from 1 to the number of roots", rule="threshold")
    if roots.keys() & keys.keys():
        raise MalformedError("keys: a root is listed as a signing key", rule="duplicate-key")
    return KeySet(
        payload,
        text(members, "iss"),
        integer(members, "epoch", minimum=1, maximum=MAX_EPOCH),
        integer(members, "expires"),
        threshold,
        roots,
        keys,
    )


def _by_kid(keys: Sequence[tuple[str, _Key]]) -> dict[str, _Key]:
    """Index by kid, which is the hash of the key: distinct kids are distinct keys."""
    found = dict(keys)
    if len(found) < len(keys):
        raise MalformedError("a key is listed twice", rule="duplicate-key")
    return found


def _parse_public(members: JsonObject) -> tuple[str, bytes]:
    """Return a public key with its name before it: 16 lower-case hex digits, 32 raw bytes."""
    public = from_base64url(text(members, "pub"))
    require_safe(public)
    if text(members, "kid") != key_id(public):
        raise MalformedError("kid: not the hash of pub", rule="kid")
    return key_id(public), public


def _parse_key(members: JsonObject) -> SigningKey:
    kid, public = _parse_public(members)
    status = text(members, "status")
    if status not in _STATUSES:
        raise MalformedError("status: expected active, verify_only or revoked")
    return SigningKey(
        kid,
        public,
        frozenset(texts(members, "use")),
        integer(members, "not_before"),
        integer(members, "not_after"),
        status == "revoked",
    )
