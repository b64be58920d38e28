"""`license-server serve`: from settings to a running server."""

from functools import partial

from license_server import logs, serving
from license_server.app import open_apps
from license_server.clock import utc_now
from license_server.doctor.files import examine_files
from license_server.errors import ConfigurationError, StartRefused
from license_server.findings import Level
from license_server.repository.database import Database
from license_server.repository.sole_process import sole_process
from license_server.settings import Settings


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; everything in flight is answered before it returns.

    Raises:
        StartRefused: a file, the schema or the address is unusable.
    """
    logs.configure(settings.log_level)
    _require_health(settings)
    tls = settings.tls_cert_file, settings.tls_key_file
    listeners = (
        serving.Listener(settings.host, settings.port, *tls),
        serving.Listener(settings.admin_host, settings.admin_port, *tls, name="admin"),
    )
    try:
        with sole_process(Database.from_url(settings.database_url.get_secret_value())):
            serving.run(partial(open_apps, settings), listeners, refused=StartRefused)
    except ConfigurationError as error:
        raise StartRefused(str(error)) from error


def _require_health(settings: Settings) -> None:
    """Do nothing if `doctor` fails nothing on this machine."""
    for finding in examine_files(settings, utc_now()):
        if finding.level is Level.FAIL:
            raise StartRefused(f"{finding.id}: {finding.text}. {finding.remedy}")
