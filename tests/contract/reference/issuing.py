"""What a server answers: the claims of a decision from a license, a policy and a request."""

from dataclasses import dataclass, field

from reference.decision import (
    ANONYMOUS_CODES,
    Call,
    key_binding,
    owner_binding,
    request_hash,
)
from reference.encoding import JsonObject

HOUR = 3600
DAY = 86400
TRIAL_OFFLINE_GRACE = 3 * DAY


@dataclass(frozen=True)
class License:
    """A license as a server keeps it; times in Unix seconds, durations in seconds."""

    id: str
    key: str
    email: str
    product: str
    kind: str
    standing: str
    starts_at: int
    expires_at: int | None
    renewal_grace: int
    key_superseded_until: int | None = None


@dataclass(frozen=True)
class Policy:
    """What a product grants and asks; durations in seconds."""

    refresh: int = 6 * HOUR
    lease: int = DAY
    offline_grace: int = 14 * DAY
    expiring_notice: int = 14 * DAY
    entitlements: list[str] = field(default_factory=list)
    limits: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """A request that was read: the call, and its normalized key, email and product."""

    call: Call
    key: str
    email: str
    product: str


@dataclass(frozen=True)
class Signer:
    """Who answers: server id, epoch of its newest key set, and the id of this decision."""

    iss: str
    kse: int
    jti: str


def claims(
    license_: License | None, policy: Policy, asked: Asked, signer: Signer, now: int
) -> JsonObject:
    """Answer a request, in the contract's order of claims."""
    code = _code(license_, asked, now)
    shown = None if code in ANONYMOUS_CODES else license_
    sub = shown.id if shown else ""
    return {
        "v": 1,
        "iss": signer.iss,
        "aud": asked.product,
        "jti": signer.jti,
        "sub": sub,
        **_times(code, shown, policy, now),
        "req": request_hash(asked.call),
        "ins": asked.call.instance_id,
        "kb": key_binding(asked.key, sub),
        "own": owner_binding(asked.key, asked.email),
        "val": code == "VALID",
        "code": code,
        "wrn": _warnings(shown, policy, now) if code == "VALID" and shown else [],
        **(terms(shown, policy, now) if shown else {}),
        "kse": signer.kse,
    }


def _code(license_: License | None, asked: Asked, now: int) -> str:
    if license_ is None:
        return "LICENSE_NOT_FOUND"
    until = license_.key_superseded_until
    reasons = {
        "EMAIL_MISMATCH": license_.email != asked.email,
        "PRODUCT_MISMATCH": license_.product != asked.product,
        "KEY_ROTATED": until is not None and now >= until,
        "DEACTIVATED": asked.call.operation == "deactivate",
        "REVOKED": license_.standing == "revoked",
        "SUSPENDED": license_.standing == "suspended",
        "NOT_YET_VALID": now < license_.starts_at,
        "TRIAL_EXPIRED": license_.kind == "trial" and _has_ended(license_, now),
        "EXPIRED": _has_ended(license_, now),
    }
    return next((code for code, holds in reasons.items() if holds), "VALID")


def _has_ended(license_: License, now: int) -> bool:
    return license_.expires_at is not None and now >= license_.expires_at + license_.renewal_grace


def _times(code: str, shown: License | None, policy: Policy, now: int) -> JsonObject:
    if code != "VALID" or shown is None:
        return {"iat": now, "ref": now + policy.refresh}
    grc = now + policy.offline_grace
    if shown.kind == "trial" and shown.expires_at is not None:
        grc = min(grc, shown.expires_at, now + TRIAL_OFFLINE_GRACE)
    exp = min(now + policy.lease, grc)
    return {"iat": now, "ref": min(now + policy.refresh, exp), "exp": exp, "grc": grc}


def _warnings(shown: License, policy: Policy, now: int) -> list[str]:
    left = None if shown.expires_at is None else shown.expires_at - now
    conditions = {
        "EXPIRING_SOON": left is not None and 0 < left <= policy.expiring_notice,
        "RENEWAL_GRACE": left is not None and left <= 0,
        "KEY_SUPERSEDED": shown.key_superseded_until is not None,
    }
    return [warning for warning, holds in conditions.items() if holds]


def terms(shown: License, policy: Policy, now: int) -> JsonObject:
    """Write the claims that tell of the license itself."""
    status = "trial" if shown.kind == "trial" else "active"
    if shown.standing != "active":
        status = shown.standing
    elif _has_ended(shown, now):
        status = "expired"
    return {
        "st": status,
        "kind": shown.kind,
        "lex": shown.expires_at,
        "rgr": shown.renewal_grace,
        "ent": policy.entitlements,
        "lim": policy.limits,
    }
