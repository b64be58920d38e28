"""Key sets: which keys may sign for this server, told by offline roots.

The server reads its own key sets with the eyes of a client: what no client would accept must not
be served. Mirrors `wire/schemas/keyset-document.json` and `keyset-payload.json`; members that
they do not name are ignored.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from license_server import base64url
from license_server.errors import ConfigurationError, MalformedJson
from license_server.signing import SigningKey, jose_header, key_id
from license_server.strict_json import read_object

KEY_SET: Final = "license-keyset"
VERSION: Final = 1
MAX_EPOCH: Final = 2**31 - 1

_PUBLIC_KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64
_HEADER: Final = re.compile(
    rb'\{"alg":"EdDSA","kid":"([0-9a-f]{16})","typ":"license-keyset\+jwt"\}'
)

_SMALL_ORDER_POINTS: Final = frozenset(
    bytes.fromhex(encoding)
    for encoding in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)
"""Every encoding of the points of order 1, 2, 4 and 8, sign bit cleared (RFC 7748, section 7;
the list of libsodium). Under such a "key" any signature of any message verifies."""


class KeySetRejected(ConfigurationError):  # noqa: N818 - named as the contract's code
    """A key set that no client would accept."""


class KeyStatus(StrEnum):
    """What a listed key may do."""

    ACTIVE = "active"
    VERIFY_ONLY = "verify_only"
    REVOKED = "revoked"


def _require_point(text: str) -> str:
    public = base64url.decode(text)
    if len(public) != _PUBLIC_KEY_BYTES:
        raise ValueError("32 bytes are expected")
    if public[:31] + bytes([public[31] & 0x7F]) in _SMALL_ORDER_POINTS:
        raise ValueError("a point of small order is no key")
    return text


_Time = Annotated[int, Field(ge=0, lt=2**53)]
_Point = Annotated[str, AfterValidator(_require_point)]


class Root(BaseModel):
    """A key that signs key sets; kept offline.

    Attributes:
        kid: see `signing.key_id`.
        pub: b64url of the 32 raw bytes.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    kid: str
    pub: _Point

    @property
    def public(self) -> bytes:
        """The raw public key, 32 bytes."""
        return base64url.decode(self.pub)

    @model_validator(mode="after")
    def _require_kid_of_pub(self) -> Self:
        if self.kid != key_id(self.public):
            raise ValueError("the kid is not that of the public key")
        return self

    @classmethod
    def of(cls, key: SigningKey) -> Self:
        """Return the public half of `key`."""
        return cls(kid=key.kid, pub=base64url.encode(key.public))


class PublishedKey(Root):
    """A key that signs decisions or files, as a key set lists it.

    Attributes:
        use: kinds of artefacts that it may sign.
        not_before: first second of its signatures, Unix time.
        not_after: first second past them, Unix time.
        status: whether servers sign with it and clients accept it.
    """

    use: tuple[str, ...]
    not_before: _Time
    not_after: _Time
    status: KeyStatus

    def may_sign(self, kind: str) -> bool:
        """Tell whether a server may sign artefacts of `kind` with it."""
        return self.status is KeyStatus.ACTIVE and kind in self.use


class KeySet(BaseModel):
    """The payload of a key set, members in the order in which they are signed."""

    model_config = ConfigDict(frozen=True, strict=True)

    v: Annotated[int, Field(ge=VERSION, le=VERSION)]
    iss: Annotated[str, Field(min_length=1, max_length=64)]
    epoch: Annotated[int, Field(ge=0, le=MAX_EPOCH)]
    issued: _Time
    expires: _Time
    threshold: Annotated[int, Field(ge=1)]
    roots: tuple[Root, ...]
    keys: tuple[PublishedKey, ...]

    @model_validator(mode="after")
    def _require_distinct_keys(self) -> Self:
        listed = [*self.roots, *self.keys]
        if len({key.pub for key in listed}) != len(listed):
            raise ValueError("a key is listed twice")
        if self.threshold > len(self.roots):
            raise ValueError("the threshold is above the number of roots")
        return self

    def published(self, kid: str) -> PublishedKey | None:
        """Return the key that has `kid`, if it is listed."""
        return next((key for key in self.keys if key.kid == kid), None)

    def changes_roots_of(self, older: "KeySet") -> bool:
        """Tell whether it names other roots, or another number of them, than `older`."""
        return (set(self.roots), self.threshold) != (set(older.roots), older.threshold)


@dataclass(frozen=True, slots=True)
class SignedKeySet:
    """A key set and the signatures of its roots.

    Attributes:
        payload: b64url of the exact bytes that are signed.
        signatures: pairs of protected header and signature, both b64url.
        content: what the payload says.
    """

    payload: str
    signatures: tuple[tuple[str, str], ...]
    content: KeySet

    @classmethod
    def sign(cls, content: KeySet, roots: Sequence[SigningKey], payload: str | None = None) -> Self:
        """Sign `content` with each of `roots`.

        Args:
            content: what is signed.
            roots: sign it.
            payload: its b64url bytes, if others have signed them; else they are made here.
        """
        payload = payload or base64url.encode(content.model_dump_json().encode("ascii"))
        signatures = []
        for root in roots:
            protected = base64url.encode(jose_header(root.kid, KEY_SET))
            signature = root.sign(f"{protected}.{payload}".encode("ascii"))
            signatures.append((protected, base64url.encode(signature)))
        return cls(payload, tuple(signatures), content)

    def signed_too(self, root: SigningKey) -> Self:
        """Return it with a further signature; one that the root has given is replaced."""
        added = self.sign(self.content, [root], payload=self.payload).signatures
        kept = tuple(entry for entry in self.signatures if entry[0] != added[0][0])
        return replace(self, signatures=(*kept, *added))

    @classmethod
    def read(cls, document: object) -> Self:
        """Read a JSON-decoded document, without judging its signatures.

        Raises:
            KeySetRejected: it is not of the contract's form.
        """
        try:
            outer = _Document.model_validate(document)
            payload = base64url.decode(outer.payload)
            read_object(payload)
            content = KeySet.model_validate_json(payload)
        except (ValueError, MalformedJson) as error:
            raise KeySetRejected(f"it is no key set: {_reason(error)}") from error
        signatures = tuple((entry.protected, entry.signature) for entry in outer.signatures)
        return cls(outer.payload, signatures, content)

    def document(self) -> dict[str, object]:
        """Return it as the JSON-ready document that clients read."""
        entries = [{"protected": header, "signature": mark} for header, mark in self.signatures]
        return {"payload": self.payload, "signatures": entries}

    def require_signed_by(self, trusted: KeySet) -> None:
        """Do nothing if at least the threshold of the roots of `trusted` have signed.

        Raises:
            KeySetRejected: too few have, or an entry is malformed.
        """
        signers = {root.pub for root in trusted.roots if self._is_signed_by(root)}
        if len(signers) < trusted.threshold:
            raise KeySetRejected(
                f"key set {self.content.epoch} has {len(signers)} good signatures of the roots of "
                f"key set {trusted.epoch}, which asks for {trusted.threshold}"
            )

    def _is_signed_by(self, root: Root) -> bool:
        verifier = Ed25519PublicKey.from_public_bytes(root.public)
        return any(
            _verifies(verifier, base64url.decode(signature), f"{protected}.{self.payload}")
            for protected, signature in self.signatures
            if base64url.decode(protected) == jose_header(root.kid, KEY_SET)
        )


class _Signature(BaseModel):
    model_config = ConfigDict(strict=True)

    protected: str
    signature: str

    @model_validator(mode="after")
    def _require_form(self) -> Self:
        if not _HEADER.fullmatch(base64url.decode(self.protected)):
            raise ValueError("a signature's header is not the contract's")
        if len(base64url.decode(self.signature)) != _SIGNATURE_BYTES:
            raise ValueError("a signature has 64 bytes")
        return self


class _Document(BaseModel):
    model_config = ConfigDict(strict=True)

    payload: str
    signatures: list[_Signature]


def _verifies(verifier: Ed25519PublicKey, signature: bytes, message: str) -> bool:
    try:
        verifier.verify(signature, message.encode("ascii"))
    except InvalidSignature:
        return False
    return True


def _reason(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_input=False, include_url=False)[0]
    if first["loc"] == ("v",):
        return "v: 1 is expected; if a newer license server made it, update this one"
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
