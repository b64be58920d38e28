"""What can be in the place of a license server: one table, on real sockets and over real TLS.

The tests of the client run a program against each row, the benchmark measures it there.
"""

import gzip
import socket
import ssl
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import trustme

from support.client_network import Behavior, misbehaving

# Given the authority that the program trusts: a URL where this is wrong.
Fault = Callable[[trustme.CA], AbstractContextManager[str]]

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
HTML = b"<!doctype html><title>Sign in</title>"
REVOKED = b'{"revoked":true,"valid":false,"code":"REVOKED"}'
HOUR = 3_600
_PIECE = 65_536


def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Serve with a certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


def on_loopback(authority: trustme.CA) -> ssl.SSLContext:
    """Serve 127.0.0.1 as the program expects."""
    return context_of(authority.issue_cert("127.0.0.1"))


def of_a_stranger(_: trustme.CA) -> ssl.SSLContext:
    return on_loopback(trustme.CA())


def of_another_name(authority: trustme.CA) -> ssl.SSLContext:
    return context_of(authority.issue_cert("license.example"))


def expired(authority: trustme.CA) -> ssl.SSLContext:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    return context_of(authority.issue_cert("127.0.0.1", not_after=yesterday))


def of_an_old_protocol(authority: trustme.CA) -> ssl.SSLContext:
    context = on_loopback(authority)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is old is the point
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def answering(status: int, body: bytes = b"", *headers: bytes) -> Behavior:
    """Answer in good form."""
    lines = [b"HTTP/1.1 %d Whatever" % status, *headers, b"content-length: %d" % len(body)]
    return sending(b"\r\n".join([*lines, b"", body]))


def sending(data: bytes) -> Behavior:
    """Send some bytes and close."""
    return lambda connection, _: connection.sendall(data)


def repeating(start: bytes, piece: bytes, pause: float = 0) -> Behavior:
    """Send `start`, then `piece` for as long as somebody listens."""

    def repeat(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(start)
        while not over.wait(pause):
            connection.sendall(piece)

    return repeat


def silent(_: socket.socket, over: threading.Event) -> None:
    over.wait()


def closing(_: socket.socket, __: threading.Event) -> None:
    """Say nothing, and go."""


def resetting(connection: socket.socket, _: threading.Event) -> None:
    linger_for_nothing = struct.pack("ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_for_nothing)
    socket.socket.close(connection)


def gzip_bomb(connection: socket.socket, _: threading.Event) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    head = HEAD + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb)
    connection.sendall(head + bomb)


BEHAVIORS: dict[str, Behavior] = {
    "silence": silent,
    "closed at once": closing,
    "reset": resetting,
    "dripping headers": repeating(HEAD + b"x-drip: ", b"a", 0.05),
    "dripping body": repeating(HEAD + b"content-length: 60000\r\n\r\n", b" ", 0.05),
    "endless headers": repeating(HEAD, b"x-more: " + b"a" * 8_000 + b"\r\n"),
    "endless body": repeating(HEAD + b"\r\n", b" " * _PIECE),
    "endless patience asked for": repeating(b"", b"HTTP/1.1 102 Processing\r\n\r\n", 0.001),
    "2 GB": repeating(HEAD + b"content-length: 2147483648\r\n\r\n", b" " * _PIECE),
    "gzip bomb": gzip_bomb,
    "500": answering(500, b"oops"),
    "502 HTML": answering(502, b"<html>bad gateway</html>"),
    "503": answering(503, b"{}"),
    "429": answering(429, b'{"code":"RATE_LIMITED"}'),
    "unsigned 403": answering(403, REVOKED),
    "unsigned 200": answering(200, REVOKED),
    "captive portal": answering(200, HTML),
    "nothing in 200": answering(200),
    "truncated": sending(HEAD + b'content-length: 400\r\n\r\n{"decision":"'),
    "longer than it says": sending(HEAD + b'content-length: 9\r\n\r\n{"decision":"a.b.c"}'),
    "two lengths": sending(HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{} "),
    "redirect": answering(307, b"", b"location: https://elsewhere.example/v1/licenses/validate"),
    "no HTTP": sending(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "HTTP of the past": sending(b'{"decision":"x"}'),
}

CONTEXTS: dict[str, Callable[[trustme.CA], ssl.SSLContext]] = {
    "TLS: untrusted": of_a_stranger,
    "TLS: wrong name": of_another_name,
    "TLS: expired": expired,
    "TLS: 1.1": of_an_old_protocol,
}


@contextmanager
def nobody(_: trustme.CA) -> Iterator[str]:
    """Have a port on which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"https://127.0.0.1:{bound.getsockname()[1]}"


@contextmanager
def no_handshake(_: trustme.CA) -> Iterator[str]:
    """Accept, and never answer the TLS hello."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def black_hole(_: trustme.CA) -> Iterator[str]:
    """Have the system drop what asks for a connection: the queue of those that wait is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as stack:
        address = listener.getsockname()
        while True:
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.2)
            try:
                waiting.connect(address)
            except TimeoutError:
                break
        yield f"https://127.0.0.1:{address[1]}"


@contextmanager
def plain_http(_: trustme.CA) -> Iterator[str]:
    """Speak no TLS."""
    with misbehaving(closing) as url:
        yield url.replace("http:", "https:")


@contextmanager
def no_such_name(_: trustme.CA) -> Iterator[str]:
    """Have a name that no resolver knows (RFC 6761)."""
    yield "https://license.invalid"


@contextmanager
def _behaving(behavior: Behavior, authority: trustme.CA) -> Iterator[str]:
    with misbehaving(behavior, on_loopback(authority)) as url:
        yield url


@contextmanager
def _under(context: Callable[[trustme.CA], ssl.SSLContext], authority: trustme.CA) -> Iterator[str]:
    with misbehaving(silent, context(authority)) as url:
        yield url


FAULTS: dict[str, Fault] = {
    "server down": nobody,
    **{name: partial(_behaving, behavior) for name, behavior in BEHAVIORS.items()},
    **{name: partial(_under, context) for name, context in CONTEXTS.items()},
    "TLS: no handshake": no_handshake,
    "TLS: none": plain_http,
    "DNS failure": no_such_name,
    "black hole": black_hole,
}

# How long each of these asks to be left alone, and how long that is heeded; seconds.
WISHES: dict[bytes, int | None] = {
    b"7": 7,
    b"3600": HOUR,
    b"999999": HOUR,
    b"99999999999999999999": None,
    b"Wed, 21 Oct 2065 07:28:00 GMT": None,
    b"-1": None,
}


def wishing(retry_after: bytes) -> Fault:
    """Answer 429 with a Retry-After."""
    return partial(_behaving, answering(429, b"{}", b"retry-after: " + retry_after))
