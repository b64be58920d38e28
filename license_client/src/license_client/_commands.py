"""The commands, in click: results on stdout, all else on stderr, never a traceback.

Exit statuses are the contract's: 0 usable, 2 usage, 3 denied or unlicensed, 4 expired,
5 offline without a usable cache, 6 configuration, 7 rejected for security.
"""

import os
import sys
from collections.abc import Callable, Mapping
from typing import Final

import click

from license_client import _report
from license_client._codes import exit_status
from license_client._environment import read_settings
from license_client._settings import Settings
from license_client._status import LicenseStatus
from license_client._store import FILE_NAME
from license_client._version import __version__
from license_client._wiring import connect
from license_client.client import LicenseClient
from license_client.errors import ConfigurationError, LicenseError, OfflineError

_CONTEXT: Final = {"help_option_names": ["-h", "--help"]}
_UNEXPECTED: Final = 1
_SETTINGS: Final = """
\b
Settings come from the environment:
  LICENSE_PRODUCT             name of the program
  LICENSE_TRUST_FILE          trust.json of its vendor
  LICENSE_SERVER_URL          https://… of the license server
  LICENSE_KEY, LICENSE_EMAIL  (or …_FILE)
  LICENSE_ENCRYPTION_KEY      64 hex digits that seal the cache
  LICENSE_CACHE_DIR           ./license-data unless set
  LICENSE_INSTANCE_ID, LICENSE_CA_FILE
\b
Exit status: 0 usable, 2 usage, 3 denied or unlicensed, 4 expired,
  5 offline without a usable cache, 6 configuration, 7 rejected for security
"""


@click.command(
    context_settings=_CONTEXT,
    help="Activate a license on this machine.\n\n"
    "\b\nExamples:\n"
    "  activate-license --key LIC-XXXXX-… --email you@example.com\n"
    "  activate-license -k LIC-XXXXX-… -e you@example.com -s https://license.example.com\n"
    + _SETTINGS,
)
@click.option("-k", "--key", required=True, help="The license key, as the mail has it.")
@click.option("-e", "--email", required=True, help="The email address of the purchase.")
@click.option("-s", "--server-url", help="The license server, instead of LICENSE_SERVER_URL.")
def activate_license(key: str, email: str, server_url: str | None) -> None:
    """Activate a license on this machine."""
    given = {"LICENSE_KEY": key, "LICENSE_EMAIL": email}
    if server_url is not None:
        given["LICENSE_SERVER_URL"] = server_url
    _finish(lambda: _activate(_read(given)), as_json=False)


def _activate(settings: Settings) -> int:
    credentials = settings.credentials
    if credentials is None:
        raise ConfigurationError("--key and --email: expected both")
    _say("🔐 Activating license...")
    _say(f"   Key:   {_report.masked(credentials.key)}\n   Email: {credentials.email}\n")
    _say("→ Validating license key...")  # its form and check symbols, which are good by now
    _say("→ Activating on this machine...")
    status = _client(settings).activate()
    _warn(status)
    if not status.usable:
        _say(f"✘ {status.code}: {status.message}")
        return exit_status(status.code)
    click.echo(_report.activated(status, settings.cache_dir / FILE_NAME))
    return exit_status(status.code)


@click.group(
    context_settings=_CONTEXT,
    help="Look after the license of a program on this machine.\n\n"
    "\b\nExamples:\n"
    "  license-client status\n"
    "  license-client status --json | jq .expires_at\n"
    "  license-client refresh || echo 'no usable license'\n" + _SETTINGS,
)
@click.version_option(__version__, prog_name="license-client")
def license_client() -> None:
    """Look after the license of a program on this machine."""


_EXAMPLES: Final = """\b
Examples:
  license-client activate
  license-client status --json | jq .expires_at
  license-client refresh || echo 'no usable license'
  license-client deactivate"""
_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@license_client.command(epilog=_EXAMPLES)
@_json_option
def activate(*, as_json: bool) -> None:
    """Register this machine under LICENSE_KEY and LICENSE_EMAIL."""
    _call(lambda client: client.activate(), as_json=as_json)


@license_client.command(epilog=_EXAMPLES)
@_json_option
def status(*, as_json: bool) -> None:
    """Show the license as the cache has it, without the network."""
    _call(lambda client: client.status(), as_json=as_json)


@license_client.command(epilog=_EXAMPLES)
@_json_option
def refresh(*, as_json: bool) -> None:
    """Ask the license server now; a usable cache bridges it when it is down."""
    _call(_refresh, as_json=as_json)


@license_client.command(epilog=_EXAMPLES)
@_json_option
def deactivate(*, as_json: bool) -> None:
    """Give this machine up and empty the cache."""
    _call(lambda client: client.deactivate(), as_json=as_json, wanted=("DEACTIVATED",))


def _refresh(client: LicenseClient) -> LicenseStatus:
    try:
        return client.validate()
    except OfflineError:
        cached = client.status()  # with a notice of what happened
        if not cached.usable:
            raise
        return cached


def _call(
    ask: Callable[[LicenseClient], LicenseStatus], *, as_json: bool, wanted: tuple[str, ...] = ()
) -> None:
    def run() -> int:
        found = ask(_client(_read({})))
        _warn(found)
        click.echo(_report.as_json(found) if as_json else _report.as_text(found))
        return 0 if found.code in wanted else exit_status(found.code)

    _finish(run, as_json=as_json)


def _finish(run: Callable[[], int], *, as_json: bool) -> None:
    """End the process with what `run` says, or with the status of its error."""
    try:
        sys.exit(run())
    except LicenseError as error:
        if as_json:
            click.echo(_report.error_as_json(error))
        _say(f"✘ {error.code}: {error}")
        sys.exit(exit_status(error.code))
    except Exception as error:  # noqa: BLE001 - the edge of a process; people get a line, not a trace
        _say(f"✘ unexpected {type(error).__name__}; please report it to the vendor")
        sys.exit(_UNEXPECTED)


def _read(given: Mapping[str, str]) -> Settings:
    environ = dict(os.environ)  # noqa: TID251 - a command reads its environment at its edge
    for name in given:
        environ.pop(f"{name}_FILE", None)  # what is typed goes before what is configured
    return read_settings(None, None, {**environ, **given})


def _client(settings: Settings) -> LicenseClient:
    return LicenseClient._over(connect(settings))  # noqa: SLF001 - made of checked settings


def _warn(found: LicenseStatus) -> None:
    for notice in found.notices:
        _say(f"! {notice}")


def _say(line: str) -> None:
    click.echo(line, err=True)
