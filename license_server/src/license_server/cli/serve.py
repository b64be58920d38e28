"""`license-server serve`."""

from functools import partial
from pathlib import Path

import click

from license_server.app import open_app
from license_server.errors import ConfigurationError, NotReady, StartRefused
from license_server.serving import Listener, run
from license_server.settings import load_settings


@click.command()
@click.pass_obj
def serve(folder: Path) -> None:
    """Answer clients over HTTPS, or over plain HTTP on loopback, until a signal comes."""
    try:
        settings = load_settings(folder)
        listener = Listener(
            settings.host, settings.port, settings.tls_cert_file, settings.tls_key_file
        )
        run(partial(open_app, settings), listener, refused=StartRefused)
    except (ConfigurationError, NotReady) as error:
        raise StartRefused(str(error)) from error
