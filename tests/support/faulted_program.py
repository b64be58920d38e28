"""A customer's program as short as they come, which says what it meets.

`python -m support.faulted_program SECONDS` requires a license and says so; then it does what it
reads on stdin and answers each line with one of JSON. A call may take SECONDS.

    look            takes a look at the license, as its watch does
    validate URL    asks the license server at URL
    start URL       starts another client there, without a cache
"""

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from license_client import LicenseClient, LicenseError, LicenseStatus, OfflineError, require_license
from license_client._environment import read_settings
from license_client._wiring import connect

PRODUCT = "demo-product"
NETWORK = {"socket", "ssl", "httpx", "asyncio"}
_PATIENCE_SECONDS = 60


def main(seconds: float) -> None:
    """Start, and be of service until stdin ends."""
    license_ = require_license(product=PRODUCT)
    say(license_.status, loaded=sorted(NETWORK & set(sys.modules)))
    for line in sys.stdin:
        word, *arguments = line.split()
        if word == "look":
            say(license_.look())
        elif word == "validate":
            client = client_of(seconds, *arguments)
            call(client, client.validate)
        else:
            with tempfile.TemporaryDirectory() as empty:
                client = client_of(seconds, *arguments, LICENSE_CACHE_DIR=empty)
                call(client, client.start)


def client_of(seconds: float, url: str, **settings: str) -> LicenseClient:
    """Make another client of this program."""
    variables = {**os.environ, "LICENSE_SERVER_URL": url, **settings}
    made = read_settings(PRODUCT, None, variables, None)
    return LicenseClient._over(connect(made, total_seconds=seconds))


def call(client: LicenseClient, method: Callable[[], LicenseStatus]) -> None:
    """Make a call, and say how it ended and what it cost."""
    before, started = forget_peak(), time.monotonic()
    error: LicenseError | None = None
    status: LicenseStatus | None = None
    try:
        status = method()
    except LicenseError as caught:
        error = caught
    seconds, grown_mb = time.monotonic() - started, (peak() - before) / 1024
    say(
        status or client.status(),
        seconds=seconds,
        grown_mb=grown_mb,
        error=error.code if error else None,
        retry_after=error.retry_after_seconds if isinstance(error, OfflineError) else None,
        threads=threads_left(),
    )


def threads_left() -> int:
    """Count the threads of calls that do not end with them, nor soon after."""
    calls = [each for each in threading.enumerate() if each.name == "license-client"]
    for each in calls:
        each.join(_PATIENCE_SECONDS)
    return sum(each.is_alive() for each in calls)


def forget_peak() -> int:
    """Begin to measure memory anew; return what there is, in kB."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak()


def peak() -> int:
    """Return the most memory that there was since, in kB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def say(status: LicenseStatus, **members: object) -> None:
    """Answer with a line."""
    told = {"usable": status.usable, "code": status.code, "warnings": status.warnings}
    sys.stdout.write(json.dumps({**told, **members}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(float(sys.argv[1]))
