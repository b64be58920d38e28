"""A port that is connected through to one server after another, as a network changes."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_CONNECT_SECONDS = 2
_PATIENCE_SECONDS = 60


class Switchboard:
    """A port of loopback; nobody is behind it at first.

    Attributes:
        url: of the port, for https.
    """

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self._target = ""
        self._calls = 0
        self._called = threading.Condition()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def connect_to(self, url: str) -> None:
        """Connect those who call from now on to another server."""
        self._target = url

    def wait_for_calls(self, count: int) -> None:
        """Wait until so many more have called."""
        with self._called:
            until = self._calls + count
            assert self._called.wait_for(lambda: self._calls >= until, _PATIENCE_SECONDS)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                with self._called:
                    self._calls += 1
                    self._called.notify_all()
                target = urlsplit(self._target)
                threading.Thread(
                    target=_join, args=(caller, target.hostname, target.port), daemon=True
                ).start()


def _join(caller: socket.socket, host: str | None, port: int | None) -> None:
    address = (host or "", port or 443)
    with caller, suppress(OSError), socket.create_connection(address, _CONNECT_SECONDS) as server:
        server.settimeout(None)
        back = threading.Thread(target=_pump, args=(server, caller), daemon=True)
        back.start()
        _pump(caller, server)
        back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Carry bytes until either side ends, and then end the other."""
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
