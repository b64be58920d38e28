from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from license_server import base64url
from license_server.codes import Code
from license_server.decisions import Binding, Origin, claims_of, encode_claims
from license_server.errors import SigningUnavailable
from license_server.evaluation import Found, Operation, Verdict, evaluate
from license_server.licenses import License
from license_server.products import Policy
from support.licensing import (
    DAY,
    EMAIL,
    HOUR,
    ISSUER,
    KEY,
    NOW,
    OTHER_EMAIL,
    PRODUCT,
    SIGNER,
    a_find,
    a_license,
    a_trial,
    an_issuer,
    unix,
)

BINDING = Binding(PRODUCT, "instance-1", "digest", KEY, EMAIL)
ORIGIN = Origin(ISSUER, "jti", 1)


def decide(found: Found | None, binding: Binding = BINDING) -> dict[str, Any]:
    verdict = evaluate(found, Operation.VALIDATE, binding.product, "1.0", NOW)
    return claims_of(verdict, found, binding, ORIGIN, NOW)


def times(claims: dict[str, Any]) -> list[float]:
    return [(claims[name] - unix(NOW)) / 3600 for name in ("ref", "exp", "grc")]


@pytest.mark.parametrize(
    ("license_", "policy", "hours"),
    [
        (a_license(), Policy(), [6, 24, 14 * 24]),
        (a_license(expires_at=NOW + HOUR), Policy(), [6, 24, 14 * 24]),
        (a_license(), Policy(refresh=30 * HOUR, lease=20 * DAY), [30, 14 * 24, 14 * 24]),
        (a_trial(), Policy(), [6, 24, 3 * 24]),
        (a_trial(expires_at=NOW + 2 * DAY), Policy(), [6, 24, 48]),
        (a_trial(expires_at=NOW + 2 * HOUR), Policy(), [2, 2, 2]),
        (a_trial(expires_at=NOW + 9 * DAY), Policy(offline_grace=DAY), [6, 24, 24]),
    ],
)
def test_refresh_lease_and_grace_are_shortened_to_fit(
    license_: License, policy: Policy, hours: list[float]
) -> None:
    assert times(decide(a_find(license_, policy=policy))) == hours


def test_a_no_has_no_lease() -> None:
    claims = decide(a_find(a_license(expires_at=NOW - 8 * DAY), policy=Policy(refresh=2 * HOUR)))
    assert claims["ref"] == unix(NOW + 2 * HOUR)
    assert not claims.keys() & {"exp", "grc"}


def test_the_ties_are_of_the_request_and_never_of_the_stored_license() -> None:
    found = a_find(email_matches=False)
    ties = [
        decide(found, Binding(PRODUCT, "i", "d", KEY, email))["own"]
        for email in (EMAIL, OTHER_EMAIL)
    ]
    assert ties[0] != ties[1]
    assert decide(None, Binding(PRODUCT, "i", "d", KEY, EMAIL))["own"] == ties[0]


def test_an_unknown_product_is_answered_as_the_client_named_it() -> None:
    claims = decide(a_find(), Binding("other", "i", "d", KEY, EMAIL))
    assert (claims["code"], claims["aud"], claims["sub"]) == ("PRODUCT_MISMATCH", "other", "")


def test_claims_are_signed_as_compact_ascii_in_their_order() -> None:
    encoded = encode_claims(decide(a_find(policy=Policy(entitlements=("süß",)))))
    assert encoded.startswith(b'{"v":1,"iss":"ls_00112233445566aa","aud":"db-api","jti":"jti",')
    assert b'"ent":["s\\u00fc\\u00df"]' in encoded


def test_a_decision_verifies_under_the_published_key() -> None:
    signed = an_issuer().issue(Verdict(Code.LICENSE_NOT_FOUND), None, BINDING, NOW)
    message, _, signature = signed.rpartition(".")
    verifier = Ed25519PublicKey.from_public_bytes(SIGNER.public)
    verifier.verify(base64url.decode(signature), message.encode())
    header = base64url.decode(message.split(".")[0]).decode()
    assert header == f'{{"alg":"EdDSA","kid":"{SIGNER.kid}","typ":"license-decision+jwt"}}'


def test_no_two_decisions_have_one_id() -> None:
    issuer = an_issuer()
    decisions = {issuer.issue(Verdict(Code.VALID), a_find(), BINDING, NOW) for _ in range(10)}
    assert len(decisions) == 10


def test_the_first_second_past_the_keys_time_is_too_late() -> None:
    issuer, end = an_issuer(), NOW + 365 * DAY
    issuer.require_usable(end - timedelta(seconds=1))
    with pytest.raises(SigningUnavailable, match="rotate"):
        issuer.require_usable(end)
