"""A TCP port in front of PostgreSQL's socket that a test opens and closes."""

import asyncio
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from anyio.from_thread import start_blocking_portal

_POSTGRES_PORT = 5432

Listen = Callable[[bytes], object]
"""Is given what one connection sends, part by part."""

Alter = Callable[[bytes], bytes]
"""Makes of a part of what PostgreSQL answers what the client gets."""


def _ignore(_part: bytes) -> None:
    """Listen to nothing."""


def _unaltered(part: bytes) -> bytes:
    return part


def free_port() -> int:
    """Find a port of loopback on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def socket_of(database_url: str) -> tuple[str, int] | Path:
    """Find where the PostgreSQL of a URL listens: a host and port, or a socket."""
    parts = urlsplit(database_url)
    folder = parse_qs(parts.query).get("host", [""])[0]
    port = parts.port or _POSTGRES_PORT
    if folder:
        return Path(folder) / f".s.PGSQL.{port}"
    return parts.hostname or "127.0.0.1", port


def through(database_url: str, port: int) -> str:
    """Rewrite a URL so that it goes through a local port."""
    parts = urlsplit(database_url)
    credentials = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{credentials}@127.0.0.1:{port}", query="").geturl()


@contextmanager
def forwarding(
    database_url: str,
    port: int,
    listen: Callable[[], Listen] = lambda: _ignore,
    alter: Alter = _unaltered,
) -> Iterator[None]:
    """Forward a local port to the PostgreSQL of a URL, in a thread of its own.

    Args:
        database_url: of the PostgreSQL.
        port: of loopback.
        listen: is called for each connection.
        alter: changes what comes back.
    """
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(_forwarding(database_url, port, listen, alter)),
    ):
        yield


@asynccontextmanager
async def _forwarding(
    database_url: str, port: int, listen: Callable[[], Listen], alter: Alter
) -> AsyncIterator[None]:
    target = socket_of(database_url)

    async def connect() -> tuple[StreamReader, StreamWriter]:
        if isinstance(target, Path):
            return await asyncio.open_unix_connection(target)
        return await asyncio.open_connection(*target)

    async def serve(client_reader: StreamReader, client_writer: StreamWriter) -> None:
        server_reader, server_writer = await connect()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_pump(client_reader, server_writer, listen(), _unaltered))
                tasks.create_task(_pump(server_reader, client_writer, _ignore, alter))
        finally:
            client_writer.close()
            server_writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield
    finally:
        listener.close()


async def _pump(reader: StreamReader, writer: StreamWriter, listen: Listen, alter: Alter) -> None:
    with suppress(ConnectionError):  # whoever leaves without a word
        while data := await reader.read(65_536):
            listen(data)
            writer.write(alter(data))
            await writer.drain()
    writer.close()
