"""What a doctor says of the storage in which servers count rate limits together."""

import asyncio
from typing import Final
from urllib.parse import urlsplit

from license_server.errors import ConfigurationError, NotReady
from license_server.findings import Finding, failed, passed, warned
from license_server.rate_limits import shared_counters
from license_server.settings import IN_DATABASE, Settings, is_loopback

_TIMEOUT_SECONDS: Final = 5.0
_KEY: Final = "doctor"
_WINDOW_SECONDS: Final = 60


def examine_way(settings: Settings) -> Finding:
    """Look at the way to the storage, without going it."""
    uri = settings.rate_limit_storage_uri
    if uri is None:
        return passed("R001", "this server counts rate limits in its own memory")
    parts = urlsplit(uri.get_secret_value())
    if uri.get_secret_value() == IN_DATABASE or parts.scheme == "rediss":
        return passed("R001", "the way to the storage of rate limits is as safe as it can be")
    if is_loopback(parts.hostname or ""):
        return passed("R001", "the storage of rate limits is on this machine")
    return warned(
        "R001",
        "the way to the storage of rate limits is in clear, its password too",
        "set rediss://… in RATE_LIMIT_STORAGE_URI",
    )


async def examine_storage(settings: Settings) -> list[Finding]:
    """Count in the storage, if there is one."""
    if settings.rate_limit_storage_uri is None:
        return []
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS), shared_counters(settings) as counters:
            await counters.add(_KEY, _WINDOW_SECONDS, 1)
    except ConfigurationError as error:
        return [failed("R002", str(error), "install it, or unset RATE_LIMIT_STORAGE_URI")]
    except (NotReady, TimeoutError):
        return [
            failed(
                "R002",
                "the storage of rate limits does not answer: each server counts alone",
                "see that it runs and that RATE_LIMIT_STORAGE_URI is right",
            )
        ]
    return [passed("R002", "the storage of rate limits answers")]
