"""Products and the policy that each sets for its licenses."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from license_server.errors import FieldError, InvalidField

_CODE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_KEY_PREFIX: Final = re.compile(r"[A-Z0-9]{2,10}")
_NAME_OF_RIGHT: Final = re.compile(r"[a-z0-9][a-z0-9._:-]{0,63}")
_VERSION: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,3}")

MAX_NAME_LENGTH: Final = 100
MAX_OFFLINE_GRACE: Final = timedelta(days=400)
"""A decision's longest life (contract, claim `grc`)."""
MIN_REFRESH: Final = timedelta(minutes=1)
"""Clients come back no sooner (contract, "Refresh")."""
MAX_LIVE_DEPLOYMENTS: Final = 10_000
"""Deployments that the server remembers of one license (contract, "Limits of abuse")."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a product grants and asks; a change never changes the status of an issued license.

    Attributes:
        key_prefix: before the symbols of new keys; 2 to 10 of A-Z and 0-9.
        validity: of a paid license from its start; None = lifetime.
        trial: length of a trial from its first success.
        renewal_grace: how long a paid license works past its end.
        refresh: how soon a client asks again.
        lease: how long an answer counts as fresh.
        offline_grace: how long a client works on without any answer.
        expiring_notice: how long before its end a license warns of it.
        deployment_limit: most deployments of one license; None = unlimited.
        entitlements: names of granted features, sorted.
        limits: granted numbers by name; a missing name is unlimited.
        minimum_client_version: older clients are refused; None = every version will do.
        recommended_client_version: older clients are warned; None = no version is outdated.
    """

    key_prefix: str = "LIC"
    validity: timedelta | None = None
    trial: timedelta = timedelta(days=14)
    renewal_grace: timedelta = timedelta(days=7)
    refresh: timedelta = timedelta(hours=6)
    lease: timedelta = timedelta(hours=24)
    offline_grace: timedelta = timedelta(days=14)
    expiring_notice: timedelta = timedelta(days=14)
    deployment_limit: int | None = None
    entitlements: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    minimum_client_version: str | None = None
    recommended_client_version: str | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """Something that is licensed.

    Attributes:
        code: its name in requests and in the claim `aud`.
        name: as people read it.
        policy: what it grants and asks.
    """

    code: str
    name: str
    policy: Policy = field(default_factory=Policy)


def require_sound(product: Product) -> Product:
    """Return `product`, or refuse one that its clients or its vendor could not live with.

    Raises:
        InvalidField: every broken member.
    """
    broken = [*_broken_names(product), *_broken_times(product.policy), *_broken_numbers(product)]
    if broken:
        raise InvalidField(*broken)
    return product


def is_product_code(text: str) -> bool:
    """Tell whether `text` can name a product."""
    return _CODE.fullmatch(text) is not None


def _broken_names(product: Product) -> list[FieldError]:
    policy = product.policy
    rights = [*policy.entitlements, *policy.limits]
    versions = [policy.minimum_client_version, policy.recommended_client_version]
    rules = [
        ("code", is_product_code(product.code), "1 to 64 of a-z 0-9 . _ - are expected"),
        ("name", 0 < len(product.name) <= MAX_NAME_LENGTH and product.name.isprintable(),
         f"1 to {MAX_NAME_LENGTH} printable characters are expected"),
        ("key_prefix", _KEY_PREFIX.fullmatch(policy.key_prefix), "2 to 10 of A-Z 0-9 are expected"),
        ("entitlements", all(map(_NAME_OF_RIGHT.fullmatch, rights)),
         "names of 1 to 64 of a-z 0-9 . _ : - are expected"),
        ("client_version", all(v is None or _VERSION.fullmatch(v) for v in versions),
         "numbers like 1.4.2 are expected"),
    ]  # fmt: skip
    return [FieldError(name, rule) for name, holds, rule in rules if not holds]


def _broken_times(policy: Policy) -> list[FieldError]:
    rules = [
        ("refresh", policy.refresh >= MIN_REFRESH, "at least one minute is expected"),
        ("lease", policy.refresh <= policy.lease, "no less than refresh is expected"),
        ("offline_grace", policy.lease <= policy.offline_grace, "no less than lease is expected"),
        ("offline_grace", policy.offline_grace <= MAX_OFFLINE_GRACE,
         f"at most {MAX_OFFLINE_GRACE.days} days are expected"),
        ("validity", policy.validity is None or policy.validity > timedelta(), "more than 0"),
        ("trial", policy.trial > timedelta(), "more than 0 days are expected"),
        ("renewal_grace", policy.renewal_grace >= timedelta(), "no less than 0 is expected"),
        ("expiring_notice", policy.expiring_notice >= timedelta(), "no less than 0 is expected"),
    ]  # fmt: skip
    return [FieldError(name, rule) for name, holds, rule in rules if not holds]


def _broken_numbers(product: Product) -> list[FieldError]:
    policy = product.policy
    seats = policy.deployment_limit
    rules = [
        ("deployment_limit", seats is None or 1 <= seats <= MAX_LIVE_DEPLOYMENTS,
         f"1 to {MAX_LIVE_DEPLOYMENTS} is expected"),
        ("limits", all(0 <= number < 2**53 for number in policy.limits.values()),
         "whole numbers from 0 on are expected"),
    ]  # fmt: skip
    return [FieldError(name, rule) for name, holds, rule in rules if not holds]
