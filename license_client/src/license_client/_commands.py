"""The commands, in click: results on stdout, all else on stderr, never a traceback.

Exit statuses are the contract's: 0 usable, 2 usage, 3 denied or unlicensed, 4 expired,
5 offline without a usable cache, 6 configuration, 7 rejected for security.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from license_client import _report
from license_client._cache_commands import cache
from license_client._clock import SystemClock
from license_client._codes import USABLE_STATUS, exit_status
from license_client._command_edge import (
    CONTEXT,
    SETTINGS,
    call,
    client_of,
    finish,
    json_option,
    read_environment,
    say,
    show,
    warn,
)
from license_client._examination import examine
from license_client._settings import Settings
from license_client._status import LicenseStatus
from license_client._store import FILE_NAME
from license_client._version import __version__
from license_client._watch import is_change
from license_client._wiring import connect
from license_client.client import LicenseClient
from license_client.errors import ConfigurationError, OfflineError

_LOOK_SECONDS: Final = 1.0
_UNHEALTHY: Final = 1
_path = click.Path(path_type=Path)


@click.command(
    context_settings=CONTEXT,
    help="Activate a license on this machine.\n\n"
    "\b\nExamples:\n"
    "  activate-license --key LIC-XXXXX-… --email you@example.com\n"
    "  activate-license -k LIC-XXXXX-… -e you@example.com -s https://license.example.com\n"
    + SETTINGS,
)
@click.option("-k", "--key", required=True, help="The license key, as the mail has it.")
@click.option("-e", "--email", required=True, help="The email address of the purchase.")
@click.option("-s", "--server-url", help="The license server, instead of LICENSE_SERVER_URL.")
def activate_license(key: str, email: str, server_url: str | None) -> None:
    """Activate a license on this machine."""
    given = {"LICENSE_KEY": key, "LICENSE_EMAIL": email}
    if server_url is not None:
        given["LICENSE_SERVER_URL"] = server_url
    finish(lambda: _activate(read_environment(given)), as_json=False)


def _activate(settings: Settings) -> int:
    credentials = settings.credentials
    if credentials is None:
        raise ConfigurationError("--key and --email: expected both")
    say("🔐 Activating license...")
    say(f"   Key:   {_report.masked(credentials.key)}\n   Email: {credentials.email}\n")
    say("→ Validating license key...")  # its form and check symbols, which are good by now
    say("→ Activating on this machine...")
    status = client_of(settings).activate()
    warn(status)
    if not status.usable:
        say(f"✘ {status.code}: {status.message}")
        return exit_status(status.code)
    click.echo(_report.activated(status, settings.cache_dir / FILE_NAME))
    return exit_status(status.code)


@click.group(
    context_settings=CONTEXT,
    help="Look after the license of a program on this machine.\n\n"
    "\b\nExamples:\n"
    "  license-client status\n"
    "  license-client status --json | jq .expires_at\n"
    "  license-client refresh || echo 'no usable license'\n" + SETTINGS,
)
@click.version_option(__version__, prog_name="license-client")
def license_client() -> None:
    """Look after the license of a program on this machine."""


_EXAMPLES: Final = """\b
Examples:
  license-client activate
  license-client status --json | jq .expires_at
  license-client refresh || echo 'no usable license'
  license-client doctor --json | jq '.[] | select(.level != "PASS")'
  license-client what-is-sent
  license-client deactivate
  license-client request -o this-machine.json   # send it to the vendor
  license-client install ada.license            # what the vendor sent back"""


@license_client.command(epilog=_EXAMPLES)
@json_option
def activate(*, as_json: bool) -> None:
    """Register this machine under LICENSE_KEY and LICENSE_EMAIL."""
    call(lambda client: client.activate(), as_json=as_json)


@license_client.command(epilog=_EXAMPLES)
@json_option
@click.option("--watch", is_flag=True, help="Go on, and show each change, until Ctrl-C.")
def status(*, as_json: bool, watch: bool) -> None:
    """Show the license as the cache has it, without the network."""
    if not watch:
        call(lambda client: client.status(), as_json=as_json)
        return

    def run() -> int:
        code = ""
        try:
            for found in _changes(client_of(read_environment({}))):
                code = found.code
                show(found, as_json=as_json)
        except KeyboardInterrupt:
            pass
        return exit_status(code)

    finish(run, as_json=as_json)


def _changes(client: LicenseClient) -> Iterator[LicenseStatus]:
    """Yield the status, and each other one that it becomes."""
    known = client.status()
    yield known
    while True:
        threading.Event().wait(_LOOK_SECONDS)
        found = client.status()
        if is_change(known, found):
            yield found
        known = found


@license_client.command(epilog=_EXAMPLES)
@json_option
def refresh(*, as_json: bool) -> None:
    """Ask the license server now; a usable cache bridges it when it is down."""
    call(_refresh, as_json=as_json)


@license_client.command(epilog=_EXAMPLES)
@json_option
def deactivate(*, as_json: bool) -> None:
    """Give this machine up and empty the cache."""
    call(lambda client: client.deactivate(), as_json=as_json, wanted=("DEACTIVATED",))


@license_client.command("what-is-sent", epilog=_EXAMPLES)
@click.option("--reveal", is_flag=True, help="Show the license key whole.")
def what_is_sent(*, reveal: bool) -> None:
    """Show all that the license server is told: this one document, and nothing else."""

    def run() -> int:
        settings = read_environment({})
        payload = connect(settings).payload()
        key = None if reveal or settings.credentials is None else settings.credentials.key
        click.echo(_report.payload_as_text(payload, key))
        say(f"! Sent to {settings.server_url or 'nobody: LICENSE_SERVER_URL is not set'}.")
        say("! The nonce is 16 random bytes, new each time; the instance id too, without a cache.")
        return USABLE_STATUS

    finish(run, as_json=False)


@license_client.command(epilog=_EXAMPLES)
@json_option
def doctor(*, as_json: bool) -> None:
    """Look over settings, cache, clock and the way to the server, and say what to mend.

    Ends with 0 when nothing failed, otherwise with 1.
    """

    def run() -> int:
        findings = []
        try:
            settings = read_environment({})
        except ConfigurationError as error:
            remedy = "set these as `license-client --help` says"
            findings = [_report.failed("S000", str(error), remedy)]
        else:
            findings = list(examine(settings, connect(settings), SystemClock()))
        if as_json:
            click.echo(_report.findings_as_json(findings))
        else:
            for finding in findings:
                click.echo(_report.finding_as_text(finding))
        is_well = all(finding.level is not _report.Level.FAIL for finding in findings)
        return USABLE_STATUS if is_well else _UNHEALTHY

    finish(run, as_json=False)


@license_client.command(epilog=_EXAMPLES)
@click.argument("file", type=_path)
@json_option
def install(file: Path, *, as_json: bool) -> None:
    """Take in the license file FILE, for a machine that never goes online."""
    call(lambda client: client.install(file), as_json=as_json)


@license_client.command(epilog=_EXAMPLES)
@click.option("-o", "--output", type=_path, help="New file to write; stdout if missing.")
def request(output: Path | None) -> None:
    """Write what the vendor needs to make a license file for this machine; it holds no key."""
    finish(lambda: _write_new(connect(read_environment({})).request_file(), output), as_json=False)


def _write_new(line: str, output: Path | None) -> int:
    if output is None:
        click.echo(line)
        return USABLE_STATUS
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(f"{line}\n")
    except OSError as error:
        raise ConfigurationError(f"cannot write {output}: {error.strerror}") from error
    return USABLE_STATUS


license_client.add_command(cache)


def _refresh(client: LicenseClient) -> LicenseStatus:
    try:
        return client.validate()
    except OfflineError:
        cached = client.status()  # with a notice of what happened
        if not cached.usable:
            raise
        return cached
