"""Looks over what a client stands on: settings, trust, cache, clock, the way to the server.

Each finding says what to do. Nothing is changed: the answer of the license server is judged and
forgotten.
"""

import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from license_client._clock import Clock, Reading
from license_client._core import Core
from license_client._exchange import tls_context
from license_client._platform import is_private
from license_client._report import Finding, Level, failed, passed, warned
from license_client._settings import Settings
from license_client._snapshot import take_snapshot
from license_client._store import FILE_NAME, Store
from license_client._transport import TlsFiles
from license_client.errors import ConfigurationError, LicenseError, OfflineError
from license_client.policy import is_skewed

_STEP_SECONDS: Final = 3.0
_SOON_SECONDS: Final = 21 * 86_400  # a certificate is renewed within this
_PORTS: Final = {"https": 443, "http": 80}

_Result = TypeVar("_Result")


def examine(settings: Settings, core: Core, clock: Clock) -> Iterator[Finding]:
    """Yield findings in the order in which one depends on the other."""
    yield _trust(settings, clock)
    yield _credentials(settings)
    yield _encryption(settings)
    yield _folder(settings.cache_dir)
    yield from _cache(settings, clock)
    is_reached = True
    if settings.server_url is not None:
        for finding in _path(settings, clock.read()):
            is_reached = is_reached and finding.level is not Level.FAIL
            yield finding
    if is_reached:
        yield _answer(settings, core)


def _trust(settings: Settings, clock: Clock) -> Finding:
    anchor = settings.anchor.current
    text = f"trust.json is epoch {anchor.epoch} of {anchor.issuer}"
    if clock.read().wall > anchor.expires:
        return warned("T001", f"{text}, past its date", "update the program, or refresh online")
    return passed("T001", text)


def _credentials(settings: Settings) -> Finding:
    if settings.credentials is None:
        return failed("S001", "no license is configured", "set LICENSE_KEY and LICENSE_EMAIL")
    return passed("S001", "license key and email have the right form")


def _encryption(settings: Settings) -> Finding:
    if settings.keys.current is None:
        return warned("S002", "the cache is not encrypted", "set LICENSE_ENCRYPTION_KEY")
    if settings.keys.previous is not None:
        return warned(
            "S002",
            "LICENSE_ENCRYPTION_KEY_PREVIOUS is still set",
            "run `license-client cache rekey`, then unset it",
        )
    return passed("S002", "the cache is encrypted")


def _folder(folder: Path) -> Finding:
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        return failed(
            "C001",
            f"{nearest} cannot be written: the license would live in memory only",
            "make it writable for this user, or set LICENSE_CACHE_DIR",
        )
    return passed("C001", f"{folder} can be written")


def _cache(settings: Settings, clock: Clock) -> Iterator[Finding]:
    path = settings.cache_dir / FILE_NAME
    if not path.exists():
        yield warned("C002", "there is no cache yet", "run `license-client activate`")
        return
    if not is_private(path):
        yield warned(
            "C003",
            f"{path} is open to other users, or another user's",
            f"run `chmod 600 {path}`, and `chown` it to the user of the program",
        )
    else:
        yield passed("C003", f"{path} can be read by this user alone")
    now = clock.read()
    snapshot = take_snapshot(settings, Store(settings.cache_dir, settings.keys).load(), now)
    if snapshot.stored is None:
        yield failed(
            "C002",
            f"the cache holds no decision for this license: {snapshot.problem}",
            "check LICENSE_ENCRYPTION_KEY, LICENSE_KEY and LICENSE_EMAIL, then refresh",
        )
        return
    signed = datetime.fromtimestamp(snapshot.stored.decision.issued_at, UTC)
    yield passed("C002", f"the cache holds a decision signed on {signed:%Y-%m-%d %H:%M} UTC")
    if is_skewed(snapshot.stored, now):
        yield warned("W001", "the clock is off by more than 5 minutes of signed time", "set it")
    else:
        yield passed("W001", "the clock agrees with signed time")


def _path(settings: Settings, now: Reading) -> Iterator[Finding]:
    """Yield a finding for each step to the server: name, connection, TLS, certificate."""
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


def _answer(settings: Settings, core: Core) -> Finding:
    if settings.server_url is None:
        return warned(
            "V001",
            "no license server is configured: only the cache and license files count",
            "set LICENSE_SERVER_URL, unless this machine never goes online",
        )
    try:
        status = core.probe()
    except OfflineError as error:
        return failed("V001", str(error), "see what answers at LICENSE_SERVER_URL, or a proxy")
    except LicenseError as error:
        return failed("V001", f"{error.code}: {error}", "check LICENSE_SERVER_URL and trust.json")
    if not status.usable:
        return failed("V001", f"the server signed a no: {status.code}", status.message)
    return passed("V001", "the server signed a yes for this license")
