"""`license-server serve`."""

from pathlib import Path

import click

from license_server.errors import ConfigurationError, NotReady, StartRefused
from license_server.serve import run
from license_server.settings import load_settings


@click.command()
@click.pass_obj
def serve(folder: Path) -> None:
    """Answer clients over HTTPS, or over plain HTTP on loopback, until a signal comes."""
    try:
        run(load_settings(folder))
    except (ConfigurationError, NotReady) as error:
        raise StartRefused(str(error)) from error
