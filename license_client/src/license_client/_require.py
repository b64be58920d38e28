"""The one line that a program starts with: a usable license, or the end."""

import sys
from pathlib import Path
from typing import Final, Never

from license_client._watch import LicenseWatch
from license_client.client import LicenseClient
from license_client.errors import LicenseError

CLOSED: Final = 78  # EX_CONFIG of sysexits.h; contract, "Codes"


def require_license(
    *, product: str, trust: bytes | Path | None = None, app_version: str | None = None
) -> LicenseWatch:
    """Return a usable license, which keeps itself true, or end the program.

    Settings come from the environment. A license in the cache starts the program at once;
    otherwise the license server is asked, for at most LICENSE_START_WAIT seconds. If there is no
    usable license, one line on stderr says why and what to do, and the exit status is 78.

    Args:
        product: name of the program, as the vendor's server knows it.
        trust: built-in trust.json; with it LICENSE_TRUST_FILE is refused.
        app_version: version of the program; told to the server.

    Raises:
        SystemExit: there is no usable license.
    """
    try:
        client = LicenseClient.from_env(product=product, trust=trust, app_version=app_version)
        status = client.start()
    except LicenseError as error:
        _end(error.code, str(error))
    for notice in status.notices:
        _say(notice)
    if not status.usable:
        _end(status.code, status.message)
    return client.watch()


def _end(code: str, text: str) -> Never:
    _say(f"{code} {text}")
    sys.exit(CLOSED)


def _say(text: str) -> None:
    sys.stderr.write(f"license: {text}\n")
