"""`issue.json`: what a server signs, to the byte."""

from dataclasses import asdict, replace

from cases.actors import (
    DAY,
    EMAIL,
    HOUR,
    INSTANCE,
    ISS,
    KEY,
    NOW,
    OTHER_EMAIL,
    PRODUCT,
    SIGNER,
    SUB,
    TRUST,
    TRUST_EPOCH,
    octets,
    request,
)
from cases.confirmed import FORMAT, Case
from reference.decision import Call, Context, token, verify
from reference.encoding import JsonObject, b64url, compact
from reference.issuing import Asked, License, Policy, Signer, claims
from reference.license_key import printed
from reference.owner_email import read_email

PAID = License(
    id=SUB,
    key=KEY,
    email=EMAIL,
    product=PRODUCT,
    kind="paid",
    standing="active",
    starts_at=NOW - 30 * DAY,
    expires_at=NOW + 365 * DAY,
    renewal_grace=7 * DAY,
)
TRIAL = replace(PAID, kind="trial", expires_at=NOW + 10 * DAY, renewal_grace=0)
PLAIN = Policy(expiring_notice=0)
RICH = Policy(entitlements=["reports", "sso"], limits={"rows": 1_000_000, "seats": 25})


def _case(
    name: str,
    license_: License | None,
    policy: Policy = PLAIN,
    operation: str = "validate",
    asks: JsonObject | None = None,
) -> Case:
    asked = request() | (asks or {})
    body = compact(asked)
    call = Call(operation, body, INSTANCE)
    jti = b64url(octets(f"jti {name}", 16))
    email, product = read_email(str(asked["email"])), str(asked["product"])
    answer = claims(
        license_, policy, Asked(call, KEY, email, product), Signer(ISS, TRUST_EPOCH, jti), NOW
    )
    signed = token(answer, SIGNER)
    verify(signed, Context(product, KEY, email, call), TRUST)
    return {
        "name": name,
        "license": asdict(license_) if license_ else None,
        "policy": asdict(policy),
        "operation": operation,
        "body": body,
        "now": NOW,
        "jti": jti,
        "claims": answer,
        "token": signed,
    }


def _yes() -> list[Case]:
    typed: JsonObject = {"license_key": printed(KEY, "LIC").lower(), "email": " Ada@Example.COM"}
    short_lease = Policy(refresh=30 * HOUR, lease=20 * DAY, expiring_notice=0)
    rotated = replace(PAID, key_superseded_until=NOW + DAY)
    return [
        _case("validate", PAID),
        _case("activate", PAID, operation="activate"),
        _case("entitlements and limits", PAID, RICH),
        _case("for life", replace(PAID, expires_at=None)),
        _case("key and email as typed", PAID, asks=typed),
        _case("lease shortened to the offline grace", PAID, short_lease),
        _case("ends soon", replace(PAID, expires_at=NOW + 14 * DAY), RICH),
        _case("does not end soon", replace(PAID, expires_at=NOW + 14 * DAY + 1), RICH),
        _case("at its end", replace(PAID, expires_at=NOW)),
        _case("last second of its renewal grace", replace(PAID, expires_at=NOW - 7 * DAY + 1)),
        _case("trial", TRIAL),
        _case("trial in its last two hours", replace(TRIAL, expires_at=NOW + 2 * HOUR)),
        _case("key superseded", rotated),
    ]


def _no() -> list[Case]:
    both: JsonObject = {"email": OTHER_EMAIL, "product": "db-api-2"}
    return [
        _case("unknown key", None),
        _case("another owner's email", PAID, asks={"email": OTHER_EMAIL}),
        _case("another product", PAID, asks={"product": "db-api-2"}),
        _case("email goes before product", PAID, asks=both),
        _case("suspended", replace(PAID, standing="suspended")),
        _case("revoked", replace(PAID, standing="revoked")),
        _case("revoked goes before expired", _ended("revoked")),
        _case("expired", _ended("active")),
        _case("trial expired", replace(TRIAL, expires_at=NOW)),
        _case("not yet valid", replace(PAID, starts_at=NOW + 1)),
        _case("key rotated", replace(PAID, key_superseded_until=NOW)),
        _case("deactivate", PAID, operation="deactivate"),
        _case("deactivate when revoked", replace(PAID, standing="revoked"), operation="deactivate"),
        _case("deactivate an unknown key", None, operation="deactivate"),
    ]


def _ended(standing: str) -> License:
    return replace(PAID, standing=standing, expires_at=NOW - 7 * DAY)


def document() -> JsonObject:
    """Write the file's content."""
    return {
        "format": FORMAT,
        "signing": SIGNER.described(),
        "iss": ISS,
        "kse": TRUST_EPOCH,
        "trust": TRUST,
        "accepted": [*_yes(), *_no()],
        "refused": [],
    }
