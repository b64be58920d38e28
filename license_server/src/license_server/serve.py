"""`license-server serve`: from settings to a running server."""

from functools import partial

from license_server import logs, serving
from license_server.app import open_app
from license_server.errors import ConfigurationError, StartRefused
from license_server.settings import Settings


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; everything in flight is answered before it returns.

    Raises:
        StartRefused: a file, the schema or the address is unusable.
    """
    logs.configure(settings.log_level)
    listener = serving.Listener(
        settings.host, settings.port, settings.tls_cert_file, settings.tls_key_file
    )
    try:
        serving.run(partial(open_app, settings), listener, refused=StartRefused)
    except ConfigurationError as error:
        raise StartRefused(str(error)) from error
