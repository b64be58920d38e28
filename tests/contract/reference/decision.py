"""Decisions: the claims, the compact JWS, and its verification in the contract's order."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from reference.encoding import JsonObject, Members, b64url, compact, from_b64url, read_object
from reference.flaw import FlawError, rejecting, require
from reference.keyset import MAX_EPOCH, KeySet, SigningKey, read_chain
from reference.signature import Pair, header, kid_in, verifies

TYP = "license-decision+jwt"
USE = "license-decision"
MAX_TOKEN_BYTES = 8192
MAX_LIFE = 400 * 86400  # seconds
MAX_RENEWAL_GRACE = 3650 * 86400  # seconds
CODES = (
    "VALID",
    "LICENSE_NOT_FOUND",
    "EMAIL_MISMATCH",
    "PRODUCT_MISMATCH",
    "SUSPENDED",
    "REVOKED",
    "EXPIRED",
    "TRIAL_EXPIRED",
    "NOT_YET_VALID",
    "KEY_ROTATED",
    "DEPLOYMENT_LIMIT",
    "DEPLOYMENT_BLOCKED",
    "CLIENT_TOO_OLD",
    "DEACTIVATED",
)
ANONYMOUS_CODES = ("LICENSE_NOT_FOUND", "EMAIL_MISMATCH", "PRODUCT_MISMATCH")
STATUSES = ("active", "trial", "suspended", "revoked", "expired")
KINDS = ("paid", "trial")
LIFE_CLAIMS = ("exp", "grc")
LICENSE_CLAIMS = ("st", "kind", "lex", "rgr", "ent", "lim")


@dataclass(frozen=True)
class Call:
    """The request that an online decision answers; `body` is its exact text."""

    operation: str
    body: str
    instance_id: str


@dataclass(frozen=True)
class Context:
    """What the verifier knows: its product, key and email, and the call if there was one."""

    product: str
    key: str
    email: str
    call: Call | None = None


def request_hash(call: Call) -> str:
    """Compute `req`."""
    text = f"req1.{call.operation}\n{call.body}"
    return b64url(hashlib.sha256(text.encode()).digest())


def key_binding(key: str, sub: str) -> str:
    """Compute `kb`."""
    return b64url(hmac.digest(key.encode(), f"kb1.{sub}".encode(), "sha256"))


def owner_binding(key: str, email: str) -> str:
    """Compute `own`."""
    return b64url(hmac.digest(key.encode(), f"own1.{email}".encode(), "sha256"))


def jws(head: bytes, payload: bytes, signer: Pair) -> str:
    """Sign whatever header and payload are given as a compact JWS."""
    signing_input = f"{b64url(head)}.{b64url(payload)}"
    return f"{signing_input}.{b64url(signer.sign(signing_input.encode()))}"


def token(claims: JsonObject | str, signer: Pair) -> str:
    """Sign claims as a decision."""
    text = claims if isinstance(claims, str) else compact(claims)
    return jws(header(signer.kid, TYP), text.encode(), signer)


def verify(
    text: str, context: Context, trust: object, offered: Sequence[object] = ()
) -> JsonObject:
    """Verify a decision and return its claims.

    Raises:
        RejectedError: with the reason and the slug of the first rule that is broken.
    """
    with rejecting("KEYSET_REJECTED"):
        keyset = read_chain(trust, offered=offered)
    with rejecting("DECISION_REJECTED"):
        return _verified(text, context, keyset)


def _verified(text: str, context: Context, keyset: KeySet) -> JsonObject:
    claims, key = opened(text, keyset, USE)
    members = Members(claims, "claims")
    members.text("req")
    members.text("ins")
    require_claims(members)
    require(key.not_before <= members.integer("iat") < key.not_after, "kid-window")
    require_addressees(claims, context, keyset)
    if context.call:
        require(claims["req"] == request_hash(context.call), "request")
        require(claims["ins"] == context.call.instance_id, "instance")
    require_bindings(claims, context)
    return claims


def opened(text: str, keyset: KeySet, use: str) -> tuple[JsonObject, SigningKey]:
    """Open a compact JWS of one kind: its payload, and the key that signed it."""
    require(text.isascii(), "not-ascii")
    require(len(text) <= MAX_TOKEN_BYTES, "too-long")
    segments = text.split(".")
    require(len(segments) == 3, "segments")
    head, payload, signature = (from_b64url(segment) for segment in segments)
    key = _key_for(head, keyset, use)
    message = f"{segments[0]}.{segments[1]}".encode()
    require(len(signature) == 64 and verifies(key.public, signature, message), "signature")
    return read_object(payload), key


def _key_for(head: bytes, keyset: KeySet, use: str) -> SigningKey:
    kid = kid_in(head, f"{use}+jwt")
    if kid is None:
        raise FlawError("header")
    if (key := keyset.keys.get(kid)) is None:
        raise FlawError("kid-unknown")
    require(key.status != "revoked", "kid-revoked")
    require(use in key.use, "kid-use")
    return key


def require_claims(claims: Members) -> None:
    """Hold the claims that a decision and a license file share to their forms."""
    claims.integer("v")
    for name in ("iss", "aud", "jti", "kb", "own"):
        claims.text(name)
    claims.integer("iat")
    claims.integer("ref")
    claims.integer("kse", 1, MAX_EPOCH)
    claims.texts("wrn")
    _require_code(claims)
    _require_life(claims)
    _require_license(claims)
    _require_times(claims)


def _require_code(claims: Members) -> None:
    valid, code = claims.boolean("val"), claims.text("code")
    require(code in CODES and valid == (code == "VALID"), "code")


def _require_life(claims: Members) -> None:
    for name in LIFE_CLAIMS:
        if claims.boolean("val"):
            claims.integer(name)
        require(claims.boolean("val") or name not in claims.value, "claims")


def _require_license(claims: Members) -> None:
    if claims.text("code") in ANONYMOUS_CODES:
        require(claims.value.get("sub") == "", "claims")
        require(not set(LICENSE_CLAIMS) & claims.value.keys(), "claims")
        return
    claims.text("sub")
    require(claims.text("st") in STATUSES and claims.text("kind") in KINDS, "claims")
    require("lex" in claims.value, "claims")
    if claims.value["lex"] is not None:
        claims.integer("lex")
    claims.integer("rgr", 0, MAX_RENEWAL_GRACE)
    claims.texts("ent")
    limits = claims.inner("lim")
    for name in limits.value:
        limits.integer(name, high=2**53 - 1)


def _require_times(claims: Members) -> None:
    names = ("iat", "ref", *LIFE_CLAIMS) if claims.boolean("val") else ("iat", "ref")
    times = [claims.integer(name) for name in names]
    require(times == sorted(times) and times[-1] <= times[0] + MAX_LIFE, "times")


def require_addressees(claims: JsonObject, context: Context, keyset: KeySet) -> None:
    """Hold that claims are of this version, of our server and for our product."""
    require(claims["v"] == 1, "version")
    require(claims["iss"] == keyset.iss, "issuer")
    require(claims["aud"] == context.product, "audience")


def require_bindings(claims: JsonObject, context: Context) -> None:
    """Hold that claims are about our key and owner."""
    sub = str(claims["sub"])
    require(claims["kb"] == key_binding(context.key, sub), "key-binding")
    require(claims["own"] == owner_binding(context.key, context.email), "owner-binding")
