"""License files as a server writes them, to the byte, and those that it does not write."""

from dataclasses import asdict, replace

from cases.actors import DAY, ISS, NOW, TRUST_EPOCH, octets
from cases.confirmed import Case, DisagreementError, refusal
from cases.file_case import LASTS, OWN_INSTANCE, SHIPPED, Given, content, filed
from cases.issue_cases import PAID, PLAIN, RICH, TRIAL
from reference.encoding import b64url
from reference.issuing import License, Policy, Signer
from reference.license_file import armored, file_claims, install


def _asked(
    name: str, license_: License, policy: Policy, instance_id: str | None, lasts: int
) -> Case:
    return {
        "name": name,
        "license": asdict(license_),
        "policy": asdict(policy),
        "instance_id": instance_id,
        "lasts_seconds": lasts,
        "now": NOW,
    }


def _issued(
    name: str,
    license_: License = PAID,
    policy: Policy = PLAIN,
    instance_id: str | None = None,
    lasts: int = LASTS,
) -> Case:
    jti = b64url(octets(f"jti of the file {name}", 16))
    claims = file_claims(license_, policy, instance_id, lasts, Signer(ISS, TRUST_EPOCH, jti), NOW)
    token = filed(claims)
    text = armored(content(token, SHIPPED))
    if install(text.encode(), Given().machine()) != claims:
        raise DisagreementError(f"{name}: no program would take it")
    asked = _asked(name, license_, policy, instance_id, lasts)
    return {**asked, "jti": jti, "claims": claims, "token": token, "text": text}


def cases() -> list[Case]:
    """List what is issued."""
    renewing = replace(PAID, expires_at=NOW - DAY)
    return [
        _issued("for any machine"),
        _issued("for one machine", instance_id=OWN_INSTANCE),
        _issued("with entitlements and limits", policy=RICH),
        _issued("for life, issued", replace(PAID, expires_at=None)),
        _issued("of a trial", TRIAL, lasts=DAY),
        _issued("as long as the license and its renewal grace", lasts=400 * DAY),
        _issued("as long as a trial", TRIAL),
        _issued("in renewal grace", renewing),
        _issued("for a second", lasts=1),
    ]


def _withheld(name: str, license_: License, lasts: int = LASTS) -> Case:
    found = refusal(
        lambda: file_claims(license_, PLAIN, None, lasts, Signer(ISS, TRUST_EPOCH, "x"), NOW), ""
    )
    return {**_asked(name, license_, PLAIN, None, lasts), "code": found["reason"]}


def withheld() -> list[Case]:
    """List what is not issued."""
    return [
        _withheld("of a suspended license", replace(PAID, standing="suspended")),
        _withheld("of a revoked license", replace(PAID, standing="revoked")),
        _withheld("of an expired license", replace(PAID, expires_at=NOW - 7 * DAY)),
        _withheld("of a trial that is over", replace(TRIAL, expires_at=NOW)),
        _withheld("of a license that has not begun", replace(PAID, starts_at=NOW + 1)),
        _withheld("for longer than 400 d", PAID, 400 * DAY + 1),
        _withheld("for no time", PAID, 0),
    ]
