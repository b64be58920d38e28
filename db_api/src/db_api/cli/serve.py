"""`db-api serve`: the service itself."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Final, TypeVar

import click
import structlog
from starlette.types import ASGIApp

from db_api import logs, serving
from db_api.app import open_app
from db_api.cli.environment import environment
from db_api.cli.exits import NO_LICENSE, end, reported
from db_api.findings import Finding, Level
from db_api.license_gate import LicenseGate, gate_from_environment
from db_api.memory import return_large_blocks
from db_api.metrics import MeasuredApp, Metrics
from db_api.production_rules import SECRETS, judge
from db_api.secret_files import with_secret_files
from db_api.settings import Settings, SettingsError, read_settings

_log = structlog.get_logger(__name__)

T = TypeVar("T")
_EXAMPLES: Final = """\b
Examples:
  db-api migrate && db-api serve"""


@click.command(epilog=_EXAMPLES)
def serve() -> None:
    """Serve the REST API of DATABASE_URL until SIGTERM or Ctrl-C.

    The license is checked first, from its cache where that is usable. `db-api migrate` must have
    made the service's own tables.
    """
    with reported():
        environ = environment()
        settings, gate = configure(environ)
        logs.configure(settings.log_level)
        values, _ = with_secret_files(environ, SECRETS)
        run(settings, partial(open_app, settings, gate), judge(values))


def configure(environ: Mapping[str, str]) -> tuple[Settings, LicenseGate]:
    """Read all settings.

    Mistakes in the license's settings alone are a closed gate: one line, status 78.

    Raises:
        SettingsError: every mistake, the license's among them.
    """
    settings, mistakes = _attempt(read_settings, environ)
    gate, license_mistakes = _attempt(gate_from_environment, environ)
    if settings is None:
        raise SettingsError((*mistakes, *license_mistakes))
    if gate is None:
        end(NO_LICENSE, f"license: CONFIG_INVALID {'; '.join(license_mistakes)}")
    return settings, gate


def _attempt(
    read: Callable[[Mapping[str, str]], T], environ: Mapping[str, str]
) -> tuple[T | None, tuple[str, ...]]:
    try:
        return read(environ), ()
    except SettingsError as error:
        return None, error.mistakes


def run(
    settings: Settings,
    opened: Callable[[], AbstractAsyncContextManager[MeasuredApp]],
    findings: Iterable[Finding] = (),
) -> None:
    """Serve an application until a signal comes, and its metrics if they have a port.

    Args:
        settings: where it is served.
        opened: opens it.
        findings: what was found in the settings; what should not stay so is logged once it is open.

    Raises:
        DataApiError: it cannot be opened or served.
    """
    return_large_blocks()
    listeners = [
        serving.Listener(
            settings.host, settings.port, settings.tls_cert_file, settings.tls_key_file
        )
    ]
    if settings.metrics_port is not None:
        listeners.append(
            serving.Listener(settings.metrics_host, settings.metrics_port, name="metrics")
        )

    @asynccontextmanager
    async def open_apps() -> AsyncIterator[Sequence[ASGIApp]]:
        async with opened() as app:
            _count_events(app.metrics)
            _warn(findings)
            yield (app, app.metrics.listener)[: len(listeners)]

    serving.run(open_apps, listeners, refused=lambda text: SettingsError((text,)))


def _count_events(metrics: Metrics) -> None:
    """Have the events of the log counted, also those that are below its level."""
    structlog.configure(processors=[metrics.count_event, *structlog.get_config()["processors"]])


def _warn(findings: Iterable[Finding]) -> None:
    for finding in findings:
        if finding.level is Level.WARN:
            _log.warning(
                "config.insecure", id=finding.id, reason=finding.text, remedy=finding.remedy
            )
