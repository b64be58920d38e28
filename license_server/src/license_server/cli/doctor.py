"""`license-server doctor`."""

import asyncio
from dataclasses import asdict
from typing import Final

import click

from license_server.cli.output import as_json, print_json
from license_server.cli.target import Target, local_folder
from license_server.clock import utc_now
from license_server.doctor.examination import examine
from license_server.findings import Level
from license_server.settings import load_settings

_EPILOG: Final = """\b
Examples:
  license-server --dir vendor doctor
  license-server --dir vendor doctor --json

\b
Exit status: 0 nothing failed, 1 something failed."""

_FAILED: Final = 1


@click.command(epilog=_EPILOG)
@as_json
@click.pass_obj
def doctor(target: Target, *, is_json: bool) -> None:
    """Look the server over, and say what to mend."""
    findings = asyncio.run(examine(load_settings(local_folder(target)), utc_now()))
    if is_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(f"{finding.level}  {finding.id}  {finding.text}")
            if finding.remedy:
                click.echo(f"            {finding.remedy}")
    if any(finding.level is Level.FAIL for finding in findings):
        raise click.exceptions.Exit(_FAILED)
