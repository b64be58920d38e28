"""Bytes on a socket, for requests that no HTTP client would send."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

ANSWER_SECONDS = 30


@contextmanager
def connection(port: int) -> Iterator[socket.socket]:
    """Connect to a server on loopback."""
    with socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS) as connected:
        yield connected


def read_to_end(connected: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    received = b""
    with suppress(ConnectionResetError):  # closed with bytes of ours unread: as good an end
        while part := connected.recv(65_536):
            received += part
    return received


def read_answer(connected: socket.socket) -> bytes:
    """Read one answer with a Content-Length from a connection that stays open."""
    with connected.makefile("rb") as stream:
        head = b"".join(iter(stream.readline, b"\r\n"))
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        return head + b"\r\n" + stream.read(int(length))


def exchange(port: int, request: bytes) -> bytes:
    """Send bytes and return all that comes back until the server closes the connection."""
    with connection(port) as connected:
        with suppress(ConnectionError):  # refused before all was sent; the answer is there
            connected.sendall(request)
        return read_to_end(connected)


def status_of(answer: bytes) -> int:
    """Return the status of an answer; 0 when there is none."""
    return int(answer.split(b" ", 2)[1]) if answer else 0
