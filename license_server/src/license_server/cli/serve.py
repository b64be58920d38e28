"""`license-server serve`."""

from typing import Final

import click

from license_server.cli.target import Target, local_folder
from license_server.errors import ConfigurationError, NotReady, StartRefused
from license_server.serve import run
from license_server.settings import load_settings

_EPILOG: Final = """\b
Examples:
  license-server --dir vendor serve
  HOST=0.0.0.0 TLS_CERT_FILE=cert.pem TLS_KEY_FILE=key.pem license-server --dir vendor serve

Settings come from the environment, else from license-server.env in the server's folder."""


@click.command(epilog=_EPILOG)
@click.pass_obj
def serve(target: Target) -> None:
    """Answer clients over HTTPS, or over plain HTTP on loopback, until a signal comes."""
    try:
        run(load_settings(local_folder(target)))
    except (ConfigurationError, NotReady) as error:
        raise StartRefused(str(error)) from error
