"""The way to the license server, step by step: name, connection, TLS, certificate."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from license_client._clock import Reading
from license_client._exchange import tls_context
from license_client._report import Finding, failed, passed, warned
from license_client._settings import Settings
from license_client._transport import TlsFiles
from license_client.errors import ConfigurationError

_STEP_SECONDS: Final = 3.0
_SOON_SECONDS: Final = 21 * 86_400  # a certificate is renewed within this
_PORTS: Final = {"https": 443, "http": 80}

_Result = TypeVar("_Result")


def examine_path(settings: Settings, now: Reading) -> Iterator[Finding]:
    """Yield a finding for each step, up to the first that fails."""
    url = urlsplit(settings.server_url or "")
    host, port = url.hostname or "", url.port or _PORTS[url.scheme]
    proxy = getproxies().get(url.scheme)
    if proxy and not proxy_bypass(host):
        yield warned(
            "N001",
            f"requests go through the proxy of {url.scheme.upper()}_PROXY",
            "look there if the server does not answer; NO_PROXY names hosts to reach directly",
        )
        return
    try:
        addresses = _in_time(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except OSError as error:
        yield failed("N001", f"the name {host} has no address: {error}", "check the name, and DNS")
        return
    found = ", ".join(sorted({str(entry[4][0]) for entry in addresses}))
    yield passed("N001", f"{host} is {found}")
    try:
        connection = _in_time(lambda: socket.create_connection((host, port), _STEP_SECONDS))
    except OSError as error:
        yield failed(
            "N002", f"nothing answers at {host}:{port}: {error}", "check port, firewall and route"
        )
        return
    with connection:
        yield passed("N002", f"{host}:{port} accepts connections")
        if url.scheme == "https":
            yield from _tls(settings, connection, host, now)


def _tls(
    settings: Settings, connection: socket.socket, host: str, now: Reading
) -> Iterator[Finding]:
    try:
        context = tls_context(TlsFiles(settings.ca_file, settings.client_cert))
        connection.settimeout(_STEP_SECONDS)
        with context.wrap_socket(connection, server_hostname=host) as secured:
            ends = _end_of(secured)
            version = secured.version()
    except ConfigurationError as error:
        yield failed("N003", str(error), "give the path of a PEM file")
        return
    except ssl.SSLCertVerificationError as error:
        yield failed(
            "N003",
            f"the certificate is not trusted here: {error.verify_message}",
            "set LICENSE_CA_FILE to the authority that signed it, or mend the certificate",
        )
        return
    except OSError as error:
        yield failed("N003", f"no TLS: {error}", "see what answers there, a proxy perhaps")
        return
    yield passed("N003", f"{version}, and the certificate is trusted")
    text = f"the certificate ends on {datetime.fromtimestamp(ends, UTC):%Y-%m-%d}"
    if ends - now.wall < _SOON_SECONDS:
        yield warned("N004", text, "tell the vendor to renew it")
    else:
        yield passed("N004", text)


def _end_of(secured: ssl.SSLSocket) -> int:
    certificate = secured.getpeercert() or {}
    return ssl.cert_time_to_seconds(str(certificate["notAfter"]))


def _in_time(call: Callable[[], _Result]) -> _Result:
    """Call in a thread that nobody has to wait for: a dead resolver knows no deadline.

    Raises:
        OSError: what the call raised, or that it took too long.
    """
    outcome: list[_Result | OSError] = []
    done = threading.Event()

    def run() -> None:
        try:
            outcome.append(call())
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that is none
            outcome.append(OSError(str(error)))
        done.set()

    threading.Thread(target=run, name="license-doctor", daemon=True).start()
    done.wait(_STEP_SECONDS)
    result = outcome[0] if outcome else TimeoutError(f"no answer in {_STEP_SECONDS:.0f} seconds")
    if isinstance(result, OSError):
        raise result
    return result
