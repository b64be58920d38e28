"""Serve ASGI applications by uvicorn: TLS, the guarded protocol, a graceful stop.

SIGTERM and SIGINT end it the same way: no new connections, what was accepted is answered within
`GRACE_SECONDS`, what was opened is closed, and the process ends with status 0.
"""

import asyncio
import signal
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Final

import structlog
import uvicorn
from starlette.types import ASGIApp

from license_server.http_guard import GuardedProtocol

if sys.platform == "win32":
    from asyncio import ProactorEventLoop as FastLoop
else:
    from uvloop import Loop as FastLoop

GRACE_SECONDS: Final = 10
"""How long requests in flight may take once a stop is asked for."""

_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"  # forward secret and authenticated (RFC 9325, 4.2)
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_BACKLOG: Final = 2048
_GOODBYE_SECONDS: Final = 1.0  # for a TLS peer to confirm the end of a connection

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Listener:
    """Where to listen.

    Attributes:
        host: address or name to bind.
        port: 0 = any free one; the log says which.
        tls_cert_file: PEM certificate chain; None = plain HTTP, which the settings judge.
        tls_key_file: PEM private key of the certificate, without a passphrase.
        name: tells it from others in the log.
    """

    host: str
    port: int
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    name: str = "public"


def run(
    open_apps: Callable[[], AbstractAsyncContextManager[Sequence[ASGIApp]]],
    listeners: Sequence[Listener],
    *,
    refused: Callable[[str], Exception],
    protocol: type[GuardedProtocol] = GuardedProtocol,
) -> None:
    """Serve until a signal comes.

    Args:
        open_apps: opens what the applications need and yields them; left after the last answer.
        listeners: where each of them listens, in their order.
        refused: makes the exception that says why nothing is served.
        protocol: the guarded protocol or a subclass with other limits.

    Raises:
        Exception: made by `refused`: unusable TLS files, or an address that cannot be bound.
            Whatever `open_apps` raises passes through.
    """
    contexts = [_tls_context(listener, refused) for listener in listeners]
    handshake_seconds = protocol.head_seconds if any(contexts) else None
    with asyncio.Runner(loop_factory=_loop_factory(handshake_seconds)) as runner:
        runner.run(
            _serve(open_apps, list(zip(listeners, contexts, strict=True)), refused, protocol)
        )


async def _serve(
    open_apps: Callable[[], AbstractAsyncContextManager[Sequence[ASGIApp]]],
    listeners: Sequence[tuple[Listener, ssl.SSLContext | None]],
    refused: Callable[[str], Exception],
    protocol: type[GuardedProtocol],
) -> None:
    async with open_apps() as apps:
        with ExitStack() as sockets:
            servers = []
            for app, (listener, tls) in zip(apps, listeners, strict=True):
                bound = sockets.enter_context(_bound_socket(listener, refused))
                servers.append(_Server(_config(app, tls, protocol), listener, bound))
            with _stopping(servers):
                await asyncio.gather(*[await server.started_task() for server in servers])


def _config(
    app: ASGIApp, tls: ssl.SSLContext | None, protocol: type[GuardedProtocol]
) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    config.load()
    config.ssl = tls
    return config


class _Server(uvicorn.Server):
    """uvicorn's server, which says where it listens and leaves signals to others."""

    def __init__(self, config: uvicorn.Config, listener: Listener, bound: socket.socket) -> None:
        super().__init__(config)
        self._listener = listener
        self._bound = bound
        self._is_up = asyncio.Event()

    async def started_task(self) -> asyncio.Task[None]:
        """Start, and return the task that ends when this stops."""
        task = asyncio.create_task(self.serve(sockets=[self._bound]))
        up = asyncio.create_task(self._is_up.wait())
        await asyncio.wait({task, up}, return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        return task

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        url = _url(self._listener, self._bound)
        _log.info("server.listening", listener=self._listener.name, url=url)
        self._is_up.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        _log.info("server.stopping", listener=self._listener.name)
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `_stopping`: a process has one handler for all its servers."""
        yield


@contextmanager
def _stopping(servers: Sequence[_Server]) -> Iterator[None]:
    """Stop all servers on a signal, without dying of it afterwards as uvicorn's own way does."""

    def stop(number: int, frame: FrameType | None) -> None:
        for server in servers:
            server.handle_exit(number, frame)

    previous = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _tls_context(listener: Listener, refused: Callable[[str], Exception]) -> ssl.SSLContext | None:
    cert, key = listener.tls_cert_file, listener.tls_key_file
    if cert is None or key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    try:
        context.load_cert_chain(cert, key, password="")  # never ask on the terminal
    except OSError as error:
        reason = error.strerror
        if isinstance(error, ssl.SSLError):
            reason = error.reason or "no PEM"
        raise refused(
            f"TLS_CERT_FILE {cert} and TLS_KEY_FILE {key} cannot be used: {reason}. "
            "A PEM certificate chain and its own private key without a passphrase are expected."
        ) from error
    return context


def _bound_socket(listener: Listener, refused: Callable[[str], Exception]) -> socket.socket:
    family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
    try:
        return socket.create_server((listener.host, listener.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise refused(
            f"Cannot listen on HOST {listener.host}, PORT {listener.port}: {error.strerror}."
        ) from error


def _url(listener: Listener, bound: socket.socket) -> str:
    scheme = "http" if listener.tls_cert_file is None else "https"
    host = f"[{listener.host}]" if ":" in listener.host else listener.host
    return f"{scheme}://{host}:{bound.getsockname()[1]}"


def _loop_factory(
    handshake_seconds: float | None,
) -> Callable[[], asyncio.AbstractEventLoop]:
    """Make event loops whose TLS servers wait no longer for a peer than ours do; None = no TLS."""

    def new_loop() -> asyncio.AbstractEventLoop:
        loop = FastLoop()
        if handshake_seconds is not None:  # uvicorn has no settings for them: 60 and 30 s
            listen = partial(_listen, loop.create_server, handshake_seconds)
            loop.create_server = listen  # type: ignore[assignment, method-assign]  # see above
        return loop

    return new_loop


def _listen(
    create_server: Callable[..., Awaitable[asyncio.AbstractServer]],
    handshake_seconds: float,
    *args: object,
    **options: object,
) -> Awaitable[asyncio.AbstractServer]:
    """Create a server, one with TLS with its deadlines: one without takes none."""
    if options.get("ssl") is not None:
        options["ssl_handshake_timeout"] = handshake_seconds
        options["ssl_shutdown_timeout"] = _GOODBYE_SECONDS
    return create_server(*args, **options)
