"""The one judgment of a license against a request; every caller asks here.

Pure: it takes what the database knows and the time, and returns a code. What has to be done
before the answer is true (a seat to take, a trial to start) is named in the result and left to
the caller, which asks again when the effect has failed.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto
from typing import Final

from license_server.codes import Code, Notice
from license_server.licenses import Kind, License, Standing
from license_server.products import Policy

_RELEASE: Final = re.compile(r"v?([0-9]{1,9}(?:\.[0-9]{1,9})*)")
_DENIED_STANDINGS: Final = {
    Standing.REVOKED: Code.REVOKED,
    Standing.SUSPENDED: Code.SUSPENDED,
}


class Operation(StrEnum):
    """What a client asks for; its name is part of the digest that binds the answer."""

    ACTIVATE = "activate"
    VALIDATE = "validate"
    DEACTIVATE = "deactivate"


class Seat(Enum):
    """How the asking deployment stands with the license."""

    UNKNOWN = auto()
    """Not registered; nobody has tried yet."""
    TAKEN = auto()
    """Registered."""
    BLOCKED = auto()
    """Registered, and blocked by the vendor."""
    FULL = auto()
    """Not registered: the deployment limit is reached."""
    UNRECORDED = auto()
    """Not registered: an unlimited license has more deployments than the server remembers."""


class Effect(Enum):
    """What has to happen for the answer to be true."""

    NONE = auto()
    REGISTER = auto()
    FORGET = auto()


@dataclass(frozen=True, slots=True)
class Found:
    """What the database knows of a presented key, email and instance.

    Attributes:
        license: the license of the key.
        policy: of the license's product.
        email_matches: the presented email is the owner's.
        key_superseded_until: a newer key replaces this one then; None = it is the newest.
        seat: how the presented instance stands.
    """

    license: License
    policy: Policy
    email_matches: bool
    key_superseded_until: datetime | None
    seat: Seat


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgment.

    Attributes:
        code: the one reason.
        notices: warnings beside `VALID`, in the contract's order.
        effect: what the caller has to do before it answers.
        starts_trial: the caller has to start the trial before it answers.
    """

    code: Code
    notices: tuple[Notice, ...] = ()
    effect: Effect = Effect.NONE
    starts_trial: bool = False


def evaluate(
    found: Found | None, operation: Operation, product: str, client_version: str, now: datetime
) -> Verdict:
    """Judge a license, in the contract's order of reasons.

    Args:
        found: what the database knows; None = no license has the key.
        operation: what is asked.
        product: code of the product that the client presents.
        client_version: of the client, as it presents it.
        now: the server's time.
    """
    if found is None:
        return Verdict(Code.LICENSE_NOT_FOUND)
    denial = _mistaken(found, product, now)
    if denial is None and operation is Operation.DEACTIVATE:
        return Verdict(Code.DEACTIVATED, effect=Effect.FORGET)
    denial = denial or _denial(found, client_version, now)
    if denial is not None:
        return Verdict(denial)
    return Verdict(
        Code.VALID,
        notices=_notices(found, client_version, now),
        effect=_effect(found, operation),
        starts_trial=found.license.is_waiting_trial(),
    )


def _mistaken(found: Found, product: str, now: datetime) -> Code | None:
    """Say what is wrong with the presented names, whatever the license is worth."""
    if not found.email_matches:
        return Code.EMAIL_MISMATCH
    if found.license.product != product:
        return Code.PRODUCT_MISMATCH
    ends = found.key_superseded_until
    return Code.KEY_ROTATED if ends is not None and now >= ends else None


def _denial(found: Found, client_version: str, now: datetime) -> Code | None:
    """Say why a license that was rightly named may not be used now."""
    lic, policy = found.license, found.policy
    end = lic.ends_at(now)
    if lic.standing is not Standing.ACTIVE:
        return _DENIED_STANDINGS[lic.standing]
    if now < lic.starts_at:
        return Code.NOT_YET_VALID
    if end is not None and now >= end + lic.renewal_grace:
        return Code.TRIAL_EXPIRED if lic.kind is Kind.TRIAL else Code.EXPIRED
    if is_older(client_version, policy.minimum_client_version):
        return Code.CLIENT_TOO_OLD
    if found.seat is Seat.BLOCKED:
        return Code.DEPLOYMENT_BLOCKED
    return Code.DEPLOYMENT_LIMIT if found.seat is Seat.FULL else None


def _notices(found: Found, client_version: str, now: datetime) -> tuple[Notice, ...]:
    policy = found.policy
    end = found.license.ends_at(now)
    left = end - now if end is not None else None
    notice = max(policy.expiring_notices, default=timedelta())
    conditions = {
        Notice.EXPIRING_SOON: left is not None and timedelta() < left <= notice,
        Notice.RENEWAL_GRACE: left is not None and left <= timedelta(),
        Notice.KEY_SUPERSEDED: found.key_superseded_until is not None,
        Notice.CLIENT_OUTDATED: is_older(client_version, policy.recommended_client_version),
    }
    return tuple(notice for notice, holds in conditions.items() if holds)


def _effect(found: Found, operation: Operation) -> Effect:
    """Take a seat at activation, and under a deployment limit at validation too."""
    if found.seat is not Seat.UNKNOWN:
        return Effect.NONE
    if operation is Operation.ACTIVATE or found.policy.deployment_limit is not None:
        return Effect.REGISTER
    return Effect.NONE


def is_older(version: str, than: str | None) -> bool:
    """Tell whether `version` is below `than`, by the numbers that they start with.

    A version that starts with no number is older than any; what follows the numbers
    (`rc1`, `+local`) does not count.
    """
    if than is None:
        return False
    return _release(version) < _release(than)


def _release(version: str) -> tuple[int, ...]:
    match = _RELEASE.match(version)
    numbers = [int(part) for part in match[1].split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
