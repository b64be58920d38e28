"""`license-server clock …`."""

from pathlib import Path
from typing import Final

import click

from license_server.cli.output import iso
from license_server.cli.session import administer
from license_server.clock import utc_now

_EPILOG: Final = """\b
Examples:
  license-server --dir vendor clock accept"""


@click.group(epilog=_EPILOG)
def clock() -> None:
    """Go on after the clock ran ahead."""


@clock.command(epilog=_EPILOG)
@click.pass_obj
def accept(folder: Path) -> None:
    """Take the machine's clock as right.

    A server signs nothing while its clock is behind the newest time in its database. If that time
    is wrong, because a clock once ran ahead, set the clock right and run this.
    """
    now = utc_now()
    before = administer(folder, lambda admin: admin.accept_clock(now))
    click.echo(f"newest time {iso(now)}, before {iso(before)}")
