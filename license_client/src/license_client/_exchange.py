"""One HTTP exchange, in a thread that nobody has to wait for.

The limits of an HTTP library are for each read: a server that sends a byte a second, or a dead
resolver, holds a caller far beyond them. Here the caller waits until the deadline, whatever the
thread is doing then.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import httpx

from license_client._clock import Deadline
from license_client._option_values import is_on_this_machine
from license_client._transport import MAX_ANSWER_BYTES, TOTAL_SECONDS, Call, Reply, TlsFiles
from license_client._version import CLIENT_NAME, __version__
from license_client.errors import ConfigurationError, OfflineError

_CONNECT_SECONDS: Final = 3.0
_MAX_RETRY_AFTER: Final = 3_600  # seconds; nobody may silence a client for longer
_MAX_DIGITS: Final = 9  # nobody means more seconds than these hold
_REASON_LENGTH: Final = 200


def exchange(
    server_url: str,
    call: Call,
    *,
    files: TlsFiles,
    inner: httpx.BaseTransport | None,
    deadline: Deadline,
) -> Reply:
    """Make one exchange; see `HttpTransport` for arguments and errors."""
    context = tls_context(files) if inner is None else None
    # HTTPS_PROXY and NO_PROXY: a proxy cannot forge what we verify. But one on the way to this very
    # machine could read what plain http is allowed for only because it never leaves the machine.
    may_use_proxy = not is_on_this_machine(server_url)
    opener = partial(_open, context, inner, may_use_proxy=may_use_proxy)
    return _Exchange(opener, server_url, call).finish(deadline)


def _open(
    context: ssl.SSLContext | None, inner: httpx.BaseTransport | None, *, may_use_proxy: bool
) -> httpx.Client:
    return httpx.Client(
        verify=context or True,  # an `inner` has no network below it, and needs no context
        transport=inner,
        trust_env=may_use_proxy,
        follow_redirects=False,
        timeout=httpx.Timeout(TOTAL_SECONDS, connect=_CONNECT_SECONDS),
        headers={
            "accept": "application/json",
            "accept-encoding": "identity",
            "user-agent": f"{CLIENT_NAME}/{__version__}",
        },
    )


class _Exchange:
    """One request and its reply, in a thread that nobody has to wait for."""

    def __init__(
        self, open_client: Callable[[], httpx.Client], server_url: str, call: Call
    ) -> None:
        self._open_client = open_client
        self._url = server_url + call.path
        self._call = call
        self._sockets: list[socket.socket] = []
        self._is_abandoned = False
        self._done = threading.Event()
        self._reply: Reply | None = None
        self._reason = "no answer in time"

    def finish(self, deadline: Deadline) -> Reply:
        """Wait for the reply until the deadline."""
        try:
            threading.Thread(target=self._run, name="license-client", daemon=True).start()
        except RuntimeError as error:  # out of threads, or the interpreter is going down
            raise OfflineError(f"the license server was not asked: {error}") from error
        if not self._done.wait(deadline.remaining()):
            self._abandon()
        if self._reply is None:
            raise OfflineError(f"the license server cannot be reached: {self._reason}")
        return self._reply

    def _run(self) -> None:
        try:
            with self._open_client() as client:
                self._reply = self._receive(client)
        except Exception as error:  # noqa: BLE001 - the edge of a thread: all of it means offline
            self._reason = f"{type(error).__name__}: {error}"[:_REASON_LENGTH]
        finally:
            self._done.set()

    def _receive(self, client: httpx.Client) -> Reply:
        with client.stream(
            "GET" if self._call.body is None else "POST",
            self._url,
            content=self._call.body,
            headers={"content-type": "application/json"} if self._call.body else {},
            extensions={"trace": self._remember_socket},
        ) as response:
            body = _read_body(response)
        return Reply(response.status_code, body, _retry_after(response.headers))

    def _remember_socket(self, _: str, info: Mapping[str, object]) -> None:
        stream = info.get("return_value")  # of a connection, or of TLS on one or through a proxy
        if not hasattr(stream, "get_extra_info"):
            return
        self._sockets.append(stream.get_extra_info("socket"))
        if self._is_abandoned:  # a name that resolved too late: nothing more is sent
            _shut_down(self._sockets)

    def _abandon(self) -> None:
        """End what the thread is waiting for, so that a dripping server does not keep it."""
        self._is_abandoned = True  # first: what is connected from now on ends by itself
        _shut_down(self._sockets)


def _shut_down(sockets: list[socket.socket]) -> None:
    """End connections without closing them.

    A closed one's number may be another file's by the time the thread looks again.
    """
    for each in sockets:
        try:
            socket.socket.shutdown(each, socket.SHUT_RDWR)
        except OSError:
            continue  # gone already


def _read_body(response: httpx.Response) -> bytes:
    encoding = response.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise OfflineError("an encoded answer, which was not asked for")
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise OfflineError(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
    return bytes(body)


def _retry_after(headers: Mapping[str, str]) -> int | None:
    value = headers.get("retry-after", "")
    if not (value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS):
        return None  # the form with a date would need a clock that both sides agree on
    return min(int(value), _MAX_RETRY_AFTER)


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """Return what verifies the server, and shows our certificate if there is one.

    Raises:
        ConfigurationError: a file cannot be used.
    """
    context = _trusting_context(files.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.client_cert is not None:
        try:
            context.load_cert_chain(files.client_cert, password="")  # never ask on a terminal
        except OSError as error:  # ssl.SSLError is one
            raise ConfigurationError(
                "LICENSE_CLIENT_CERT: expected a certificate and its own key, without a "
                "passphrase, in one PEM file"
            ) from error
    return context


def _trusting_context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        # httpx's own choice: SSL_CERT_FILE, SSL_CERT_DIR, otherwise the authorities of certifi.
        return ssl.create_default_context(cafile=ca_file) if ca_file else httpx.create_ssl_context()
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        setting = "LICENSE_CA_FILE" if ca_file else "SSL_CERT_FILE or SSL_CERT_DIR"
        raise ConfigurationError(f"{setting}: holds no certificate authority in PEM") from error
