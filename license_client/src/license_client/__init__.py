"""Check a license in your own process: signed decisions, pinned trust, offline grace.

from license_client import require_license

license = require_license(product="my-program", trust=Path("trust.json"))
if license.status.has_entitlement("sso"):
    ...
"""

from typing import TYPE_CHECKING

from license_client._require import require_license
from license_client._status import LicenseStatus
from license_client._version import __version__
from license_client._watch import LicenseWatch
from license_client.client import LicenseClient
from license_client.errors import (
    CacheUnreadableError,
    ConfigurationError,
    DecisionRejectedError,
    EmailMalformedError,
    KeyMalformedError,
    KeySetRejectedError,
    LicenseError,
    OfflineError,
    RejectedError,
)
from license_client.policy import State

if TYPE_CHECKING:
    from license_client.aio import AsyncLicenseClient, AsyncLicenseWatch

__all__ = [
    "AsyncLicenseClient",
    "AsyncLicenseWatch",
    "CacheUnreadableError",
    "ConfigurationError",
    "DecisionRejectedError",
    "EmailMalformedError",
    "KeyMalformedError",
    "KeySetRejectedError",
    "LicenseClient",
    "LicenseError",
    "LicenseStatus",
    "LicenseWatch",
    "OfflineError",
    "RejectedError",
    "State",
    "__version__",
    "require_license",
]


def __getattr__(name: str) -> object:
    """Load what is asynchronous when it is asked for: asyncio is slow to import."""
    if name not in {"AsyncLicenseClient", "AsyncLicenseWatch"}:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from license_client import aio  # noqa: PLC0415 - the reason is above

    loaded: object = getattr(aio, name)
    return loaded
