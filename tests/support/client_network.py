"""The simulator behind real sockets, and servers that are worse than any simulator."""

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from license_client.testing.simulator import Simulator

Behavior = Callable[[socket.socket, threading.Event], None]


@contextmanager
def serving(simulator: Simulator, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve a simulator on loopback and give its URL."""
    turn = threading.Lock()  # a simulator is not made for threads

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            request = httpx.Request(self.command, f"http://simulator{self.path}", content=body)
            with turn:
                answer = simulator.handle_request(request)
                content = answer.read()
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a failed handshake
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def misbehaving(behavior: Behavior, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Give the URL of a server that does `behavior` with each connection.

    Args:
        behavior: gets the connection, its request read, and an event that is set when the test is
            over.
        tls: to serve with.
    """
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def behave(connection: socket.socket) -> None:
        try:
            if tls is not None:
                connection = tls.wrap_socket(connection, server_side=True)
            _receive_request(connection)
            behavior(connection, over)
        except OSError:
            return  # the client went away, as it should
        finally:
            connection.close()

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=behave, args=(connection,)))
            threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in (acceptor, *threads):
            thread.join()


def _receive_request(connection: socket.socket) -> None:
    """Read a whole request: what is unread when a connection closes takes the answer with it."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _some(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    missing = int(length[1]) - len(body) if length else 0
    while missing > 0:
        missing -= len(_some(connection))


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise ConnectionError("closed by the client")
    return data
