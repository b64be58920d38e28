"""What a doctor says of the storage in which servers count rate limits together."""

import asyncio
from typing import Final

from license_server.errors import ConfigurationError, NotReady
from license_server.findings import Finding, failed, passed
from license_server.rate_limits import shared_counters
from license_server.settings import Settings

_TIMEOUT_SECONDS: Final = 5.0
_KEY: Final = "doctor"
_WINDOW_SECONDS: Final = 60


async def examine_storage(settings: Settings) -> list[Finding]:
    """Count in the storage, if there is one."""
    if settings.rate_limit_storage_uri is None:
        return []
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS), shared_counters(settings) as counters:
            await counters.add(_KEY, _WINDOW_SECONDS, 1)
    except ConfigurationError as error:
        return [failed("L002", str(error), "install it, or unset RATE_LIMIT_STORAGE_URI")]
    except (NotReady, TimeoutError):
        return [
            failed(
                "L002",
                "the storage of rate limits does not answer: each server counts alone",
                "see that it runs and that RATE_LIMIT_STORAGE_URI is right",
            )
        ]
    return [passed("L002", "the storage of rate limits answers")]
