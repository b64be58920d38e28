"""The claims of a decision, as typed values; whether to believe them is for `_verify`.

Mirrors `license_server/wire/schemas/decision-claims.json`: unknown claims are ignored, and a
claim is never optional because it would be convenient.
"""

from typing import Final, NamedTuple

from license_client._codes import ANONYMOUS, DENIALS
from license_client._json import (
    MAX_INTEGER,
    JsonObject,
    MalformedError,
    boolean,
    inner,
    integer,
    text,
    texts,
)

MAX_LIFETIME: Final = 400 * 86_400  # seconds from `iat` to `grc`; the contract's
MAX_RENEWAL_GRACE: Final = 3_650 * 86_400  # seconds; our decision, far above any policy
MAX_EPOCH: Final = 2**31 - 1
_STATUSES: Final = frozenset({"active", "trial", "suspended", "revoked", "expired"})
_KINDS: Final = frozenset({"paid", "trial"})
_LICENSE_CLAIMS: Final = frozenset({"st", "kind", "lex", "rgr", "ent", "lim"})


class Terms(NamedTuple):
    """What the license itself says.

    Attributes:
        status: active, trial, suspended, revoked or expired, when the decision was made.
        kind: "paid" or "trial".
        expires: Unix second at which license or trial ends; None for a lifetime license.
        renewal_grace: seconds that a paid license goes on past `expires`.
        entitlements: names of what it includes.
        limits: highest number of something by its name; what is absent is unlimited.
    """

    status: str
    kind: str
    expires: int | None
    renewal_grace: int
    entitlements: tuple[str, ...]
    limits: dict[str, int]


class Lease(NamedTuple):
    """How long a "yes" lasts: Unix seconds, `fresh_until` at most `grace_until`."""

    fresh_until: int
    grace_until: int


class Decision(NamedTuple):
    """What the license server signed; all times are Unix seconds by its clock.

    Attributes:
        license_id: "lic_…", or "" where the decision names no license.
        issued_at: when it was made (`iat`).
        refresh_at: when to ask again (`ref`).
        request: hash of the request that it answers (`req`); None in a license file.
        instance_id: deployment that asked (`ins`); None in a file for any machine of the owner.
        key_binding: ties it to the license key (`kb`).
        owner_binding: ties it to key and email (`own`).
        code: VALID exactly in a yes.
        warnings: codes beside a yes.
        lease: of a yes, and of a yes alone.
        terms: absent where the decision names no license.
        key_set_epoch: newest key set that its signer knew (`kse`).
    """

    version: int
    issuer: str
    product: str
    license_id: str
    issued_at: int
    refresh_at: int
    request: str | None
    instance_id: str | None
    key_binding: str
    owner_binding: str
    code: str
    warnings: tuple[str, ...]
    lease: Lease | None
    terms: Terms | None
    key_set_epoch: int

    @property
    def valid(self) -> bool:
        """Whether this is a yes."""
        return self.lease is not None

    @property
    def is_filed(self) -> bool:
        """Whether it came in a license file, and not as the answer to a request."""
        return self.request is None


def read_claims(claims: JsonObject) -> Decision:
    """Read the claims of a decision.

    Raises:
        MalformedError: a claim is missing, has another type, or contradicts another.
    """
    return _read(claims, text(claims, "req"), text(claims, "ins"))


def read_file_claims(claims: JsonObject) -> Decision:
    """Read the claims of a license file: a yes that answers no request and ends at once.

    Raises:
        MalformedError: as `read_claims`, or its three ends are not one.
    """
    if "req" in claims or "ins" not in claims:
        raise MalformedError("req, ins: a file has no request, and says its machine or null")
    instance_id = None if claims["ins"] is None else text(claims, "ins")
    decision = _read(claims, None, instance_id)
    if decision.lease is None:
        raise MalformedError("val: expected a yes", rule="code")
    if {decision.refresh_at} != set(decision.lease):
        raise MalformedError("ref, exp, grc: expected to be one time", rule="times")
    return decision


def _read(claims: JsonObject, request: str | None, instance_id: str | None) -> Decision:
    text(claims, "jti")
    code = _read_code(claims)
    decision = Decision(
        version=integer(claims, "v"),
        issuer=text(claims, "iss"),
        product=text(claims, "aud"),
        license_id=text(claims, "sub", minimum=0),
        issued_at=integer(claims, "iat"),
        refresh_at=integer(claims, "ref"),
        request=request,
        instance_id=instance_id,
        key_binding=text(claims, "kb"),
        owner_binding=text(claims, "own"),
        code=code,
        warnings=texts(claims, "wrn"),
        lease=_read_lease(claims),
        terms=_read_terms(claims, code),
        key_set_epoch=integer(claims, "kse", minimum=1, maximum=MAX_EPOCH),
    )
    _require_named(decision)
    _require_order(decision)
    return decision


def _read_code(claims: JsonObject) -> str:
    code = text(claims, "code")
    known = code == "VALID" if boolean(claims, "val") else code in DENIALS
    if not known:
        raise MalformedError("code: not one that goes with val", rule="code")
    return code


def _read_lease(claims: JsonObject) -> Lease | None:
    if boolean(claims, "val"):
        return Lease(integer(claims, "exp"), integer(claims, "grc"))
    if "exp" in claims or "grc" in claims:
        raise MalformedError("exp, grc: a no has neither")
    return None


def _read_terms(claims: JsonObject, code: str) -> Terms | None:
    if code in ANONYMOUS:
        if _LICENSE_CLAIMS & claims.keys():
            raise MalformedError("this code says nothing of a license")
        return None
    status, kind = text(claims, "st"), text(claims, "kind")
    if status not in _STATUSES or kind not in _KINDS:
        raise MalformedError("st, kind: expected one of the listed words")
    limits = inner(claims, "lim")
    return Terms(
        status,
        kind,
        _read_expiry(claims),
        integer(claims, "rgr", maximum=MAX_RENEWAL_GRACE),
        texts(claims, "ent"),
        {name: integer(limits, name, maximum=MAX_INTEGER) for name in limits},
    )


def _read_expiry(claims: JsonObject) -> int | None:
    if "lex" in claims and claims["lex"] is None:
        return None  # a lifetime license says so; it does not leave the claim out
    return integer(claims, "lex")


def _require_named(decision: Decision) -> None:
    """Hold that exactly the anonymous codes name no license."""
    if (decision.license_id == "") != (decision.terms is None):
        raise MalformedError("sub: empty exactly where no license is told")


def _require_order(decision: Decision) -> None:
    times = (decision.issued_at, decision.refresh_at, *(decision.lease or ()))
    if list(times) != sorted(times) or times[-1] > decision.issued_at + MAX_LIFETIME:
        raise MalformedError("iat, ref, exp, grc: expected in this order", rule="times")
