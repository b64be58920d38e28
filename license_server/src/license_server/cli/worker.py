"""`license-server worker`."""

import asyncio
import signal
from typing import Final

import click

from license_server import logs
from license_server.cli.target import Target, local_folder
from license_server.errors import ConfigurationError, NotReady, StartRefused
from license_server.settings import Settings, load_settings
from license_server.working import work

_EPILOG: Final = """\b
Examples:
  license-server --dir vendor worker
  RUN_WORKER=false license-server --dir vendor serve   # beside it, on PostgreSQL

Any number of workers share a PostgreSQL database; each mail and event is sent by one of them."""


@click.command(epilog=_EPILOG)
@click.pass_obj
def worker(target: Target) -> None:
    """Send mails and events and do what is due by the clock, until a signal comes."""
    try:
        settings = load_settings(local_folder(target))
        logs.configure(settings.log_level)
        asyncio.run(_work(settings))
    except (ConfigurationError, NotReady) as error:
        raise StartRefused(str(error)) from error


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await work(settings, stop)
