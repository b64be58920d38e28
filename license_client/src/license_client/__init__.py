"""Check a license in your own process: signed decisions, pinned trust, offline grace.

from license_client import LicenseClient

client = LicenseClient.from_env(product="my-program", trust=Path("trust.json"))
status = client.status()
if not status.usable:
    sys.exit(status.message)
"""

from typing import TYPE_CHECKING

from license_client._status import LicenseStatus
from license_client._version import __version__
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
    from license_client.aio import AsyncLicenseClient

__all__ = [
    "AsyncLicenseClient",
    "CacheUnreadableError",
    "ConfigurationError",
    "DecisionRejectedError",
    "EmailMalformedError",
    "KeyMalformedError",
    "KeySetRejectedError",
    "LicenseClient",
    "LicenseError",
    "LicenseStatus",
    "OfflineError",
    "RejectedError",
    "State",
    "__version__",
]


def __getattr__(name: str) -> object:
    """Load the asynchronous client when it is asked for: asyncio is slow to import."""
    if name != "AsyncLicenseClient":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from license_client.aio import AsyncLicenseClient  # noqa: PLC0415 - the reason is above

    return AsyncLicenseClient
