"""A bounded load on a server on loopback: prepared requests over a few kept-alive connections.

It runs in the measuring process, whose CPU is not counted, so it only has to be quick enough.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

CONNECTIONS: Final = 8
SECONDS: Final = 60


def request(
    method: str, target: str, *, headers: Sequence[tuple[str, str]] = (), body: bytes = b""
) -> bytes:
    """Write an HTTP/1.1 request to 127.0.0.1."""
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


async def drive(port: int, requests: Iterator[bytes], count: int) -> None:
    """Send the next `count` of `requests`; every answer must be a success.

    Raises:
        RuntimeError: an answer's status was not 2xx.
    """
    statuses: Counter[int] = Counter()
    queue = itertools.islice(requests, count)

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for prepared in queue:
                writer.write(prepared)
                statuses[await _read_answer(reader)] += 1
        finally:
            writer.close()
            await writer.wait_closed()

    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as workers:
        for _ in range(CONNECTIONS):
            workers.create_task(work())
    if refused := {status: n for status, n in statuses.items() if not 200 <= status < 300}:
        raise RuntimeError(f"answers that are no success: {refused}")


async def _read_answer(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
    await reader.readexactly(length)
    return int(head[9:12])
