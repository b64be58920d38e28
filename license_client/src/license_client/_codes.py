"""The closed list of codes: what each says to people, and the exit status of a program."""

from typing import Final

MESSAGES: Final = {
    "VALID": "The license is valid.",
    "LICENSE_NOT_FOUND": "No license has this key. Check the key, or ask the vendor.",
    "EMAIL_MISMATCH": "The key belongs to another email address. Use the one of the purchase.",
    "PRODUCT_MISMATCH": "The key belongs to another product.",
    "SUSPENDED": "The license is suspended. Ask the vendor.",
    "REVOKED": "The license has been revoked. Ask the vendor.",
    "EXPIRED": "The license has expired. Renew it; the program opens by itself afterwards.",
    "TRIAL_EXPIRED": "The trial has ended. Buy a license; the program opens by itself afterwards.",
    "NOT_YET_VALID": "The license is not valid yet.",
    "KEY_ROTATED": "The key has been replaced. Use the newer one from the mail.",
    "DEPLOYMENT_LIMIT": "The license is in use on as many machines as it allows. "
    "Deactivate one, or ask the vendor.",
    "DEPLOYMENT_BLOCKED": "The vendor has blocked this deployment.",
    "CLIENT_TOO_OLD": "This version of the program is too old for the license. Update it.",
    "DEACTIVATED": "This deployment has been deactivated. Activate it to use it again.",
    "UNLICENSED": "There is no license here yet. Activate one.",
    "OFFLINE": "The license server cannot be reached.",
    "OFFLINE_GRACE_EXCEEDED": "The license server has not been reached for too long. "
    "Connect this machine and refresh.",
    "DECISION_REJECTED": "The stored license decision is not one that the vendor signed for this "
    "program. Refresh it online.",
    "KEYSET_REJECTED": "The stored key set is not one that the vendor signed. Refresh it online.",
    "CACHE_UNREADABLE": "The license cache cannot be read: it is damaged, of a newer version "
    "of the program, or sealed with another LICENSE_ENCRYPTION_KEY. Set that key, or activate "
    "again.",
}

# What a document of a later version tells to do, whatever else may have gone wrong with it.
UPDATE: Final = "It is of a version that this program does not read yet: update the program"

DENIALS: Final = frozenset(
    {
        "LICENSE_NOT_FOUND",
        "EMAIL_MISMATCH",
        "PRODUCT_MISMATCH",
        "SUSPENDED",
        "REVOKED",
        "EXPIRED",
        "TRIAL_EXPIRED",
        "NOT_YET_VALID",
        "KEY_ROTATED",
        "DEPLOYMENT_LIMIT",
        "DEPLOYMENT_BLOCKED",
        "CLIENT_TOO_OLD",
        "DEACTIVATED",
    }
)
# These say nothing of a license, so that a wrong email learns nothing of the right one.
ANONYMOUS: Final = frozenset({"LICENSE_NOT_FOUND", "EMAIL_MISMATCH", "PRODUCT_MISMATCH"})

USABLE_STATUS: Final = 0
_DENIED_STATUS: Final = 3
_EXIT_STATUSES: Final = {
    "VALID": USABLE_STATUS,
    "EXPIRED": 4,
    "TRIAL_EXPIRED": 4,
    "OFFLINE": 5,
    "OFFLINE_GRACE_EXCEEDED": 5,
    "CONFIG_INVALID": 6,
    "KEY_MALFORMED": 6,
    "INVALID_FIELD": 6,
    "DECISION_REJECTED": 7,
    "KEYSET_REJECTED": 7,
    "CACHE_UNREADABLE": 7,
}


def exit_status(code: str) -> int:
    """Return what a command ends with: 0 usable, 3 denied, 4 expired, 5 offline, 6, 7."""
    return _EXIT_STATUSES.get(code, _DENIED_STATUS)
