"""`license-server clock …`."""

import asyncio
from pathlib import Path
from typing import Final

import click

from license_server.admin.server import accept_clock
from license_server.cli.local import open_desk
from license_server.cli.output import iso
from license_server.cli.target import Target, local_folder

_EPILOG: Final = """\b
Examples:
  license-server --dir vendor clock accept"""


@click.group(epilog=_EPILOG)
def clock() -> None:
    """Go on after the clock ran ahead."""


@clock.command(epilog=_EPILOG)
@click.pass_obj
def accept(target: Target) -> None:
    """Take the machine's clock as right.

    A server signs nothing while its clock is behind the newest time in its database. If that time
    is wrong, because a clock once ran ahead, set the clock right and run this.
    """
    click.echo(asyncio.run(_accept(local_folder(target))))


async def _accept(folder: Path) -> str:
    async with open_desk(folder) as desk:
        before = await accept_clock(desk)
        return f"newest time {iso(desk.now)}, before {iso(before)}"
