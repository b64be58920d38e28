"""Products and the policy that each sets for its licenses."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from license_server.errors import FieldError, InvalidField

CODE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
KEY_PREFIX: Final = re.compile(r"[A-Z0-9]{2,10}")
NAME_OF_RIGHT: Final = re.compile(r"[a-z0-9][a-z0-9._:-]{0,63}")
VERSION: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,3}")

MAX_NAME_LENGTH: Final = 100
SHORTEST_LIFE: Final = timedelta(days=1)
"""Of a license or a trial."""
MAX_OFFLINE_GRACE: Final = timedelta(days=400)
"""A decision's longest life (contract, claim `grc`)."""
MIN_REFRESH: Final = timedelta(minutes=1)
"""Clients come back no sooner (contract, "Refresh")."""
LONGEST_SPAN: Final = timedelta(days=3650)
"""Of everything else in a policy (`wire/schemas/decision-claims.json`, claim `rgr`)."""
MAX_RIGHTS_BYTES: Final = 2048
"""Of entitlements and limits in a decision, which has at most 8 KiB as a whole."""
MAX_NOTICES: Final = 8
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
        expiring_notices: how long before its end a license warns of it, longest first: clients
            are warned from the first on, owners get a mail at each.
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
    expiring_notices: tuple[timedelta, ...] = (timedelta(days=14), timedelta(days=3), timedelta())
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


def broken_entitlements(names: Sequence[str]) -> FieldError | None:
    """Return what is wrong with entitlements granted to one license, if anything is."""
    if all(map(NAME_OF_RIGHT.fullmatch, names)) and len(json.dumps(names)) <= MAX_RIGHTS_BYTES:
        return None
    return FieldError("entitlements", "names of 1 to 64 of a-z 0-9 . _ : - are expected")


def is_product_code(text: str) -> bool:
    """Tell whether `text` can name a product."""
    return CODE.fullmatch(text) is not None


def _broken_names(product: Product) -> list[FieldError]:
    policy = product.policy
    rights = [*policy.entitlements, *policy.limits]
    rules = [
        ("code", is_product_code(product.code), "1 to 64 of a-z 0-9 . _ - are expected"),
        ("name", 0 < len(product.name) <= MAX_NAME_LENGTH and product.name.isprintable(),
         f"1 to {MAX_NAME_LENGTH} printable characters are expected"),
        ("key_prefix", KEY_PREFIX.fullmatch(policy.key_prefix), "2 to 10 of A-Z 0-9 are expected"),
        ("entitlements", all(map(NAME_OF_RIGHT.fullmatch, rights)),
         "names of 1 to 64 of a-z 0-9 . _ : - are expected"),
        ("entitlements", len(json.dumps([rights, dict(policy.limits)])) <= MAX_RIGHTS_BYTES,
         f"at most {MAX_RIGHTS_BYTES} bytes together with the limits are expected"),
        *((f"{name}_client_version", version is None or VERSION.fullmatch(version),
           "numbers like 1.4.2 are expected")
          for name, version in (("minimum", policy.minimum_client_version),
                                ("recommended", policy.recommended_client_version))),
    ]  # fmt: skip
    return [FieldError(name, rule) for name, holds, rule in rules if not holds]


def _broken_times(policy: Policy) -> list[FieldError]:
    none = timedelta()
    validity = LONGEST_SPAN if policy.validity is None else policy.validity
    spans = [
        ("refresh", MIN_REFRESH, policy.refresh, MAX_OFFLINE_GRACE),
        ("lease", policy.refresh, policy.lease, MAX_OFFLINE_GRACE),
        ("offline_grace", policy.lease, policy.offline_grace, MAX_OFFLINE_GRACE),
        ("validity", SHORTEST_LIFE, validity, LONGEST_SPAN),
        ("trial", SHORTEST_LIFE, policy.trial, LONGEST_SPAN),
        ("renewal_grace", none, policy.renewal_grace, LONGEST_SPAN),
        *(("expiring_notices", none, notice, LONGEST_SPAN) for notice in policy.expiring_notices),
    ]
    return [
        FieldError(f"{name}_seconds", f"a time from {least} to {most} is expected")
        for name, least, span, most in spans
        if not least <= span <= most
    ]


def _broken_numbers(product: Product) -> list[FieldError]:
    policy = product.policy
    seats = policy.deployment_limit
    rules = [
        ("deployment_limit", seats is None or 1 <= seats <= MAX_LIVE_DEPLOYMENTS,
         f"1 to {MAX_LIVE_DEPLOYMENTS} is expected"),
        ("expiring_notices_seconds", len(policy.expiring_notices) <= MAX_NOTICES,
         f"at most {MAX_NOTICES} times are expected"),
        ("limits", all(0 <= number < 2**53 for number in policy.limits.values()),
         "whole numbers from 0 on are expected"),
    ]  # fmt: skip
    return [FieldError(name, rule) for name, holds, rule in rules if not holds]
