"""The closed lists of decision codes and warnings, and what each says to a person."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Code(StrEnum):
    """What a signed decision can say (contract, "Codes")."""

    VALID = "VALID"
    LICENSE_NOT_FOUND = "LICENSE_NOT_FOUND"
    EMAIL_MISMATCH = "EMAIL_MISMATCH"
    PRODUCT_MISMATCH = "PRODUCT_MISMATCH"
    SUSPENDED = "SUSPENDED"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"
    TRIAL_EXPIRED = "TRIAL_EXPIRED"
    NOT_YET_VALID = "NOT_YET_VALID"
    KEY_ROTATED = "KEY_ROTATED"
    DEPLOYMENT_LIMIT = "DEPLOYMENT_LIMIT"
    DEPLOYMENT_BLOCKED = "DEPLOYMENT_BLOCKED"
    CLIENT_TOO_OLD = "CLIENT_TOO_OLD"
    DEACTIVATED = "DEACTIVATED"


class Notice(StrEnum):
    """What a `VALID` decision can warn of."""

    EXPIRING_SOON = "EXPIRING_SOON"
    RENEWAL_GRACE = "RENEWAL_GRACE"
    KEY_SUPERSEDED = "KEY_SUPERSEDED"
    CLIENT_OUTDATED = "CLIENT_OUTDATED"


ANONYMOUS: Final = frozenset({Code.LICENSE_NOT_FOUND, Code.EMAIL_MISMATCH, Code.PRODUCT_MISMATCH})
"""Codes whose decisions tell nothing of the license: no id, status, times or entitlements."""

MESSAGES: Final[Mapping[Code, str]] = MappingProxyType(
    {
        Code.VALID: "The license is valid.",
        Code.LICENSE_NOT_FOUND: "No license has this key. Compare it with the one you were sent.",
        Code.EMAIL_MISMATCH: "The key belongs to another email. Use the address it was issued to.",
        Code.PRODUCT_MISMATCH: "The key belongs to another product of this vendor.",
        Code.SUSPENDED: "The license is suspended. Ask the vendor to reinstate it.",
        Code.REVOKED: "The license was revoked. Ask the vendor for a new one.",
        Code.EXPIRED: "The license has expired. Renew it to go on.",
        Code.TRIAL_EXPIRED: "The trial has ended. Buy a license to go on.",
        Code.NOT_YET_VALID: "The license is not valid yet: its first day is still to come.",
        Code.KEY_ROTATED: "The key was replaced by a newer one. Use the newest key you were sent.",
        Code.DEPLOYMENT_LIMIT: "All deployments of the license are in use. Deactivate one first.",
        Code.DEPLOYMENT_BLOCKED: "The vendor has blocked this deployment.",
        Code.CLIENT_TOO_OLD: "The client is too old for this product. Update it.",
        Code.DEACTIVATED: "The deployment was deactivated.",
    }
)
