"""`db-api doctor`: look the service over, and say what to mend."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

import click

from db_api.cli.environment import environment
from db_api.clock import utc_now
from db_api.doctor.database import examine_database
from db_api.doctor.license import examine_license
from db_api.doctor.machine import examine_machine
from db_api.findings import Finding, Level
from db_api.settings import Settings, SettingsError, read_database_settings

_EXAMPLES = """\b
Examples:
  db-api doctor
  db-api doctor --json | jq '.[] | select(.level != "PASS")'

\b
Exit status: 0 nothing failed, 1 something failed."""
_FAILED: Final = 1


@click.command(epilog=_EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of the findings.")
def doctor(*, as_json: bool) -> None:
    """Look at settings, license and database as `serve` would find them, and say what to mend."""
    findings = asyncio.run(_examine(environment()))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            click.echo(f"{finding.level}  {finding.id}  {finding.text}")
            if finding.remedy:
                click.echo(f"            {finding.remedy}")
    if any(finding.level is Level.FAIL for finding in findings):
        raise click.exceptions.Exit(_FAILED)


async def _examine(environ: Mapping[str, str]) -> list[Finding]:
    now = utc_now()
    findings = [*examine_machine(environ, now), *await examine_license(environ)]
    try:
        settings = read_database_settings(environ)
    except SettingsError:  # told above
        return findings
    return [*findings, *await examine_database(settings, _pool_size(environ), now)]


def _pool_size(environ: Mapping[str, str]) -> int:
    """Return POOL_SIZE; what is no number is told above."""
    size = environ.get("POOL_SIZE", "")
    return int(size) if size.isdecimal() else int(Settings.model_fields["pool_size"].default)
