"""How bodies of the data side come in and go out, without Starlette's own objects."""

import asyncio
from collections.abc import Coroutine
from typing import Final, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from db_api.answers import Answer
from db_api.errors import BodyTooLargeError
from db_api.grammar.body import JsonBody
from db_api.grammar.lines import LineReader
from db_api.rest_errors import RestError, render_error

_BODILESS: Final = frozenset({204, 205, 304})
"""Statuses whose answers end with their head (RFC 9110, 6.4.1 and 15.3.6); a function of the
customer's may choose one, and a body would be read as the beginning of the next answer."""


_KEPT_BYTES: Final = 256 * 1024
"""An answer up to this size is sent as a whole, with what its headers say of it."""

_ROWS_SECONDS: Final = 8
"""Rows are taken as they are by then: PostgreSQL waits for 10 seconds within a transaction."""

T = TypeVar("T")


async def read_body(receive: Receive, max_bytes: int) -> bytes:
    """Read a whole body.

    Raises:
        BodyTooLargeError: it is longer than `max_bytes`.
        ClientDisconnect: the client left before its end.
    """
    body = bytearray()
    more = True
    while more:
        part, more = await _receive_part(receive)
        body += part
        if len(body) > max_bytes:
            raise BodyTooLargeError(
                f"The body must be at most {max_bytes} bytes long.",
                hint="CSV and NDJSON may be longer, with Prefer: return=minimal.",
            )
    return bytes(body)


async def _receive_part(receive: Receive) -> tuple[bytes, bool]:
    """Receive a part of a body, and whether there is more."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message.get("body", b""), message.get("more_body", False)


class LongBody:
    """The rows of a body, read as they come and no faster than they are taken.

    Args:
        receive: of the server; whoever calls the application limits the whole size.
        reader: makes rows of it.
    """

    def __init__(self, receive: Receive, reader: LineReader) -> None:
        self._receive = receive
        self._reader = reader
        self._has_more = True
        self._is_over = False

    async def next(self) -> JsonBody | None:
        """Return the next rows; None after the last ones.

        Raises:
            RestError: they are no rows, or not one comes in time.
            ClientDisconnect: the client left before the end.
        """
        try:
            async with asyncio.timeout(_ROWS_SECONDS):
                while self._has_more:
                    part, self._has_more = await _receive_part(self._receive)
                    rows = self._reader.feed(part)
                    if rows is not None:
                        return rows
        except TimeoutError:
            rows = self._reader.flush()
            if rows is None:
                raise RestError("DBAPI433", "The rows come too slowly") from None
            return rows
        if self._is_over:
            return None
        self._is_over = True
        return self._reader.end()


def refusal_of(error: RestError) -> Answer:
    """Write the answer that says why a request is refused."""
    body = render_error(error.code, error.message, error.details, error.hint)
    content_type = ("Content-Type", "application/json; charset=utf-8")
    return Answer(error.status, (content_type, *error.headers), body)


async def send_answer(answer: Answer, scope: Scope, send: Send) -> None:
    """Send a whole answer; to HEAD its headers alone."""
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
    has_body = answer.status not in _BODILESS
    if has_body and scope["method"] != "HEAD":
        headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body if has_body else b""})


class LongAnswer:
    """An answer that is sent while it is being read, once it is too long to be kept.

    Args:
        scope: of the request.
        send: of the server, which waits for a slow client.
        max_bytes: of the body; None for any number.
    """

    def __init__(self, scope: Scope, send: Send, max_bytes: int | None) -> None:
        self._scope = scope
        self._send = send
        self._max_bytes = max_bytes
        self._head: Answer | None = None
        self._kept = bytearray()
        self._size = 0
        self.has_begun = False

    @property
    def kept(self) -> bytes:
        """What was written; nothing once the answer has begun."""
        return bytes(self._kept)

    def open(self, head: Answer) -> None:
        """Say how the answer begins, if it becomes too long to be kept."""
        self._head = head

    async def write(self, data: bytes) -> None:
        """Take a part of the body.

        Raises:
            RestError: the caller may have no more of it.
        """
        self._size += len(data)
        if self._max_bytes is not None and self._size > self._max_bytes:
            raise RestError(
                "DBAPI430",
                f"The answer is longer than {self._max_bytes} bytes",
                hint="Ask for less at once: limit=, select=, or filters.",
            )
        if self.has_begun:
            await self._send_part(data)
            return
        self._kept += data
        if len(self._kept) > _KEPT_BYTES:
            await self._begin()

    async def end(self) -> None:
        """Send the end of an answer that has begun."""
        await self._send({"type": "http.response.body", "body": b""})

    async def _begin(self) -> None:
        if self._head is None:
            raise LookupError("nothing says how the answer begins")
        self.has_begun = True
        headers = [(name.lower().encode(), value.encode()) for name, value in self._head.headers]
        await self._send(
            {"type": "http.response.start", "status": self._head.status, "headers": headers}
        )
        kept, self._kept = bytes(self._kept), bytearray()
        await self._send_part(kept)

    async def _send_part(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": True})


async def while_connected(receive: Receive, work: Coroutine[object, object, T]) -> T:
    """Do work for a client; it is cancelled when the client leaves.

    Raises:
        ClientDisconnect: the client left.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_wait_for_leave(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _wait_for_leave(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
