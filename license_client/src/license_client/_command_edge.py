"""What all commands share: settings from the environment, one way to end, words on stderr."""

import os
import sys
from collections.abc import Callable, Mapping
from typing import Final

import click

from license_client import _report
from license_client._codes import USABLE_STATUS, exit_status
from license_client._environment import read_settings
from license_client._settings import Settings
from license_client._status import LicenseStatus
from license_client._wiring import connect
from license_client.client import LicenseClient
from license_client.errors import LicenseError

CONTEXT: Final = {"help_option_names": ["-h", "--help"]}
SETTINGS: Final = """
\b
Settings come from the environment:
  LICENSE_PRODUCT             name of the program
  LICENSE_TRUST_FILE          trust.json of its vendor
  LICENSE_SERVER_URL          https://… of the license server
  LICENSE_KEY, LICENSE_EMAIL  (or …_FILE)
  LICENSE_ENCRYPTION_KEY      64 hex digits that seal the cache
  LICENSE_CACHE_DIR           ./license-data unless set
  LICENSE_INSTANCE_ID, LICENSE_CA_FILE, LICENSE_CLIENT_CERT
\b
Exit status: 0 usable, 2 usage, 3 denied or unlicensed, 4 expired,
  5 offline without a usable cache, 6 configuration, 7 rejected for security
"""
_UNEXPECTED: Final = 1

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


def finish(run: Callable[[], int], *, as_json: bool) -> None:
    """End the process with what `run` says, or with the status of its error."""
    try:
        sys.exit(run())
    except LicenseError as error:
        if as_json:
            click.echo(_report.error_as_json(error))
        say(f"✘ {error.code}: {error}")
        sys.exit(exit_status(error.code))
    except Exception as error:  # noqa: BLE001 - the edge of a process; people get a line, not a trace
        say(f"✘ unexpected {type(error).__name__}; please report it to the vendor")
        sys.exit(_UNEXPECTED)


def call(
    ask: Callable[[LicenseClient], LicenseStatus], *, as_json: bool, wanted: tuple[str, ...] = ()
) -> None:
    """Ask a client for a status, show it, and end the process with what it means.

    Args:
        ask: what to ask for.
        as_json: show it for a script.
        wanted: codes that are no failure, though nothing is usable.
    """

    def run() -> int:
        found = ask(client_of(read_environment({})))
        show(found, as_json=as_json)
        return USABLE_STATUS if found.code in wanted else exit_status(found.code)

    finish(run, as_json=as_json)


def show(found: LicenseStatus, *, as_json: bool) -> None:
    """Show a status on stdout, and its notices on stderr."""
    warn(found)
    click.echo(_report.as_json(found) if as_json else _report.as_text(found))


def read_environment(given: Mapping[str, str]) -> Settings:
    """Return the settings, with what is `given` before what the environment says.

    Raises:
        ConfigurationError: naming every variable that is missing or wrong.
    """
    environ = dict(os.environ)  # noqa: TID251 - a command reads its environment at its edge
    for name in given:
        environ.pop(f"{name}_FILE", None)  # what is typed goes before what is configured
    return read_settings(None, None, {**environ, **given})


def client_of(settings: Settings) -> LicenseClient:
    """Return a client of checked settings."""
    return LicenseClient._over(connect(settings))  # noqa: SLF001 - made of checked settings


def warn(found: LicenseStatus) -> None:
    """Tell the notices of a status."""
    for notice in found.notices:
        say(f"! {notice}")


def say(line: str) -> None:
    """Tell a person something that is no result."""
    click.echo(line, err=True)
