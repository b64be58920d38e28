"""The commands `activate-license` and `license-client`, for machines and people.

They need click, which the package itself does not: `pip install 'license-client[cli]'`.
"""

import io
import sys
from typing import Final

_CONFIGURATION_STATUS: Final = 6


def activate_license() -> None:
    """Run `activate-license`."""
    _run("activate_license")


def main() -> None:
    """Run `license-client`."""
    _run("license_client")


def _run(name: str) -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ✔ is no reason to fail
    try:
        from license_client import _commands  # noqa: PLC0415 - its click may not be installed
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.stderr.write("One package is missing here: pip install 'license-client[cli]'\n")
        sys.exit(_CONFIGURATION_STATUS)
    getattr(_commands, name)()
