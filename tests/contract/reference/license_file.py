"""License files: the armor, what it holds, its verification in the contract's order, its making."""

import base64
import re
from dataclasses import dataclass, field

from reference.decision import (
    Context,
    key_binding,
    opened,
    owner_binding,
    require_addressees,
    require_bindings,
    require_claims,
)
from reference.encoding import JsonObject, Members, compact, from_b64url, read_object
from reference.flaw import FlawError, RejectedError, rejecting, require
from reference.issuing import License, Policy, Signer, terms
from reference.keyset import read_chain

USE = "license-file"
TYP = f"{USE}+jwt"
MAX_FILE_BYTES = 128 * 1024
LABEL = "LICENSE FILE"
LONGEST = 400 * 86400  # seconds
_SPACE = " \t\r\n"


@dataclass(frozen=True)
class Machine:
    """What the program knows that a file is given to.

    Attributes:
        context: its product, key and email.
        trust: the key set that it was shipped with.
        known: newer ones in its cache.
        instance_id: of the deployment; None when it has none yet.
        stored: the decision, or the token of the file, in its cache.
    """

    context: Context
    trust: JsonObject
    known: list[JsonObject] = field(default_factory=list)
    instance_id: str | None = None
    stored: str | None = None


def armored(content: object, label: str = LABEL) -> str:
    """Write a license file as text: base64 in lines of 64 characters between two marks."""
    text = content if isinstance(content, str) else compact(content)
    packed = base64.b64encode(text.encode()).decode()
    lines = [packed[at : at + 64] for at in range(0, len(packed), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def install(text: bytes, machine: Machine) -> JsonObject:
    """Verify a license file and return the claims that the cache holds afterwards.

    Raises:
        RejectedError: with the reason and the slug of the first rule that is broken.
    """
    with rejecting("DECISION_REJECTED"):
        content = Members(_opened_armor(text), "structure")
        require(content.integer("v") == 1, "version")
        filed = content.inners("keyset")
        token = content.text("file", high=MAX_FILE_BYTES)
    with rejecting("KEYSET_REJECTED"):
        keyset = read_chain(
            machine.trust, stored=machine.known, filed=[inner.value for inner in filed]
        )
    with rejecting("DECISION_REJECTED"):
        claims, key = opened(token, keyset, USE)
        members = Members(claims, "claims")
        _require_file_claims(members)
        require(key.not_before <= members.integer("iat") < key.not_after, "kid-window")
        require_addressees(claims, machine.context, keyset)
        require_bindings(claims, machine.context)
        require(claims["ins"] in (None, machine.instance_id), "instance")
    _require_newer(token, members.integer("iat"), machine.stored)
    return claims


def _opened_armor(raw: bytes) -> JsonObject:
    require(len(raw) <= MAX_FILE_BYTES, "too-long")
    require(raw.isascii(), "not-ascii")
    text = raw.decode().strip(_SPACE)
    begin, end = f"-----BEGIN {LABEL}-----", f"-----END {LABEL}-----"
    require(text.startswith(begin) and text.endswith(end), "armor")
    require(len(text) >= len(begin) + len(end), "armor")
    packed = re.sub(f"[{_SPACE}]", "", text[len(begin) : -len(end)])
    pattern = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
    require(re.fullmatch(pattern, packed), "base64")
    content = base64.b64decode(packed)
    require(base64.b64encode(content).decode() == packed, "base64")
    return read_object(content)


def _require_file_claims(claims: Members) -> None:
    require("req" not in claims.value and "ins" in claims.value, "claims")
    if claims.value["ins"] is not None:
        claims.text("ins")
    require_claims(claims)
    require(claims.boolean("val"), "code")
    ends = {claims.integer(name) for name in ("ref", "exp", "grc")}
    require(len(ends) == 1, "times")


def _require_newer(token: str, iat: int, stored: str | None) -> None:
    if stored is None or stored == token:
        return
    before = read_object(from_b64url(stored.split(".")[1]))["iat"]
    if not isinstance(before, int):
        raise FlawError("a stored token without iat")
    if iat <= before:
        raise RejectedError("DECISION_REJECTED", "not-newer")


def file_claims(
    license_: License, policy: Policy, instance_id: str | None, lasts: int, signer: Signer, now: int
) -> JsonObject:
    """Write the claims of a file that lasts so many seconds, in the contract's order.

    Raises:
        RejectedError: the server issues no such file; INVALID_FIELD or STATE_CONFLICT.
    """
    if not 0 < lasts <= LONGEST:
        raise RejectedError("INVALID_FIELD", "lasts_seconds")
    last = None if license_.expires_at is None else license_.expires_at + license_.renewal_grace
    is_over = last is not None and now >= last
    if license_.standing != "active" or is_over or now < license_.starts_at:
        raise RejectedError("STATE_CONFLICT", "license")
    ends = now + lasts if last is None else min(now + lasts, last)
    return {
        "v": 1,
        "iss": signer.iss,
        "aud": license_.product,
        "jti": signer.jti,
        "sub": license_.id,
        "iat": now,
        "ref": ends,
        "exp": ends,
        "grc": ends,
        "ins": instance_id,
        "kb": key_binding(license_.key, license_.id),
        "own": owner_binding(license_.key, license_.email),
        "val": True,
        "code": "VALID",
        "wrn": [],
        **terms(license_, policy, now),
        "kse": signer.kse,
    }
