"""Decisions: the claims of a judgment, and their signed form.

The claims that tie a decision to its request (`aud`, `ins`, `kb`, `own`, `req`) are made from the
request as presented, never from the stored license: otherwise the denial of a wrong email would
let its holder test guesses of the right one.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from pydantic import TypeAdapter

from license_server import base64url
from license_server.codes import ANONYMOUS, Code
from license_server.emails import Email
from license_server.errors import SigningUnavailable
from license_server.evaluation import Found, Verdict
from license_server.keysets import PublishedKey
from license_server.license_keys import LicenseKey
from license_server.licenses import Kind
from license_server.products import Policy
from license_server.signing import DECISION, CompactSigner, SigningKey

VERSION: Final = 1
TRIAL_OFFLINE_GRACE: Final = timedelta(days=3)
"""Longest offline grace of a trial (contract, claim `grc`)."""

_JTI_BYTES: Final = 16
_DEFAULTS: Final = Policy()

Claims = dict[str, object]
_CLAIMS: Final = TypeAdapter(Claims)


@dataclass(frozen=True, slots=True)
class Binding:
    """What ties a decision to one request, as presented and normalized.

    Attributes:
        product: the claim `aud`.
        instance_id: the claim `ins`.
        digest: the claim `req`.
        key: the presented key.
        email: the presented email.
    """

    product: str
    instance_id: str
    digest: str
    key: LicenseKey
    email: Email


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a decision comes from.

    Attributes:
        issuer: id of the server, the claim `iss`.
        decision_id: the claim `jti`.
        keyset_epoch: of the newest key set, the claim `kse`.
    """

    issuer: str
    decision_id: str
    keyset_epoch: int


class DecisionIssuer:
    """Signs decisions under one key of one key set.

    Args:
        key: the private signing key.
        published: the same key as the newest key set lists it.
        issuer: id of this server, the claim `iss`.
        keyset_epoch: of the newest key set, the claim `kse`.
    """

    def __init__(
        self, key: SigningKey, published: PublishedKey, issuer: str, keyset_epoch: int
    ) -> None:
        self._signer = CompactSigner(key, DECISION)
        self._published = published
        self._issuer = issuer
        self._keyset_epoch = keyset_epoch

    def issue(self, verdict: Verdict, found: Found | None, binding: Binding, now: datetime) -> str:
        """Return the signed decision as a compact JWS.

        Raises:
            SigningUnavailable: the signing key is not valid at `now`.
        """
        self.require_usable(now)
        origin = Origin(self._issuer, new_decision_id(), self._keyset_epoch)
        return self._signer.sign(encode_claims(claims_of(verdict, found, binding, origin, now)))

    def require_usable(self, now: datetime) -> None:
        """Do nothing if the signing key is valid at `now`.

        Raises:
            SigningUnavailable: it is not.
        """
        if not self._published.not_before <= _unix(now) < self._published.not_after:
            raise SigningUnavailable("the signing key is not valid at this time: rotate it")


def claims_of(
    verdict: Verdict, found: Found | None, binding: Binding, origin: Origin, now: datetime
) -> Claims:
    """Return the claims of a judgment, in the contract's order."""
    shown = None if verdict.code in ANONYMOUS else found
    subject = shown.license.license_id if shown else ""
    keyed = HMAC(binding.key.symbols.encode("ascii"), SHA256())
    return {
        "v": VERSION,
        "iss": origin.issuer,
        "aud": binding.product,
        "jti": origin.decision_id,
        "sub": subject,
        **_times(verdict, shown, now),
        "req": binding.digest,
        "ins": binding.instance_id,
        "kb": tie(keyed, "kb1.", subject),
        "own": tie(keyed, "own1.", binding.email.address),
        "val": verdict.code is Code.VALID,
        "code": verdict.code.value,
        "wrn": [notice.value for notice in verdict.notices],
        **(terms_of(shown, now) if shown else {}),
        "kse": origin.keyset_epoch,
    }


def encode_claims(claims: Claims) -> bytes:
    """Return claims as they are signed: compact JSON, members as ordered, ASCII."""
    return _CLAIMS.dump_json(claims, ensure_ascii=True)


def new_decision_id() -> str:
    """Draw the claim `jti`."""
    return base64url.encode(secrets.token_bytes(_JTI_BYTES))


def tie(keyed: HMAC, label: str, text: str) -> str:
    """Return the claim that ties a decision to a text that only holders of the key can test."""
    mac = keyed.copy()
    mac.update((label + text).encode("utf-8"))
    return base64url.encode(mac.finalize())


def _times(verdict: Verdict, shown: Found | None, now: datetime) -> Claims:
    """Return iat <= ref <= exp <= grc, shortened from the right to fit; a "no" has no lease."""
    policy = shown.policy if shown else _DEFAULTS
    if verdict.code is not Code.VALID or shown is None:
        return {"iat": _unix(now), "ref": _unix(now + policy.refresh)}
    grace = _offline_grace_end(shown, now)
    fresh = min(now + policy.lease, grace)
    refresh = min(now + policy.refresh, fresh)
    return {"iat": _unix(now), "ref": _unix(refresh), "exp": _unix(fresh), "grc": _unix(grace)}


def _offline_grace_end(found: Found, now: datetime) -> datetime:
    grace = now + found.policy.offline_grace
    trial_end = found.license.ends_at(now)
    if found.license.kind is Kind.PAID or trial_end is None:
        return grace
    return min(grace, trial_end, now + TRIAL_OFFLINE_GRACE)


def terms_of(found: Found, now: datetime) -> Claims:
    """Return the claims that tell of the license itself."""
    end = found.license.ends_at(now)
    return {
        "st": found.license.status(now).value,
        "kind": found.license.kind.value,
        "lex": None if end is None else _unix(end),
        "rgr": int(found.license.renewal_grace.total_seconds()),
        "ent": sorted({*found.policy.entitlements, *found.license.entitlements}),
        "lim": dict(found.policy.limits),
    }


def _unix(instant: datetime) -> int:
    return int(instant.timestamp())
