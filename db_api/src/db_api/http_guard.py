"""The doorkeeper of a connection: deadlines, size limits and framing rules below ASGI.

uvicorn waits for ever for headers and bodies, and its fast parser lets through requests that a
proxy in front may read differently (request smuggling). `GuardedProtocol` adds what is missing:

1. A head must be complete in `head_seconds`, from the connection or from its first byte on.
2. A body must come at `body_bytes_per_second` or faster, `body_seconds` granted at the start.
3. An answer that the client does not read for `stall_seconds` ends the connection.
4. Heads, chunk extensions and trailers are at most `max_head_bytes`; trailers are dropped.
5. One well-formed Host, a target that is a path, HTTP/1.0 or 1.1, `chunked` as the only coding.

Bare LF, folded lines, spaces before a colon and contradicting or repeated lengths are refused by
the parser itself (llhttp in its strict mode). Each limit is a class attribute: subclass to change.
"""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar, Final

import httptools
import structlog
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

_HOST: Final = re.compile(
    rb"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
)  # RFC 9110 7.2
_VERSIONS: Final = frozenset({"1.0", "1.1"})
_WATCH_SECONDS: Final = 1.0  # how late a deadline may be noticed

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a connection ends.

    Attributes:
        status: the HTTP status of the last answer.
        detail: one plain sentence in ASCII, without anything that the client sent.
    """

    status: int
    detail: str


def judge_request_line(version: str, target: bytes, max_bytes: int) -> Refusal | None:
    """Find what is wrong with the line `METHOD target HTTP/version`, None for nothing."""
    if version not in _VERSIONS:
        return Refusal(400, "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
    if len(target) > max_bytes:
        return Refusal(414, f"The URL is longer than {max_bytes} bytes.")
    if not target.startswith(b"/"):
        return Refusal(400, "The request target must be a path that begins with a slash.")
    return None


def judge_headers(
    version: str, headers: Sequence[tuple[bytes, bytes]], max_bytes: int
) -> Refusal | None:
    """Find what makes the headers too large or ambiguous, None for nothing.

    Args:
        version: of the request line, "1.0" or "1.1".
        headers: names in lower case, values as sent.
        max_bytes: of all header lines together.
    """
    if sum(len(name) + len(value) + 4 for name, value in headers) > max_bytes:
        return Refusal(431, f"The request headers are longer than {max_bytes} bytes.")
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        return Refusal(400, "Exactly one well-formed Host header is expected.")
    codings = [value.lower() for name, value in headers if name == b"transfer-encoding"]
    if codings and (version != "1.1" or codings != [b"chunked"]):
        return Refusal(400, "The only transfer coding understood here is chunked, in HTTP/1.1.")
    return None


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's fast HTTP/1.1 protocol behind the five rules of this module."""

    head_seconds: ClassVar[float] = 10.0
    body_seconds: ClassVar[float] = 20.0
    body_bytes_per_second: ClassVar[float] = 1024.0
    stall_seconds: ClassVar[float] = 30.0
    max_head_bytes: ClassVar[int] = 16 * 1024

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._refusal: Refusal | None = None
        self._in_body = False
        self._due_at: float | None = None  # None: nothing is expected of the client
        self._stalled_at: float | None = None
        self._unframed_bytes = 0  # read since a head began or a byte of a body came
        self._watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own: the event loop hands over nothing less
        """Start the clock of the first head."""
        super().connection_made(transport)
        self._due_at = self.loop.time() + self.head_seconds
        self._watch_deadlines()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser and count what did not become part of a request."""
        if self.transport.is_closing():
            return
        self._expect_head()
        self._unframed_bytes += len(data)
        super().data_received(data)
        if self._unframed_bytes > self.max_head_bytes and not self.transport.is_closing():
            self._refuse(Refusal(431, f"More than {self.max_head_bytes} bytes are no request."))

    def on_message_begin(self) -> None:
        """Start the clock of a head that follows another request in the same packet."""
        self._expect_head()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; drop a trailer, which would pass for a header that no rule has seen."""
        if not self._in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Judge the head and only then hand it to the application."""
        self._refusal = self._judge_head()
        if self._refusal is not None:
            raise httptools.HttpParserError(self._refusal.detail)  # ends in send_400_response
        self._in_body = True
        self._unframed_bytes = 0
        if self._due_at is not None:
            self._due_at += self.body_seconds
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Grant the time that these bytes have earned."""
        self._unframed_bytes = 0
        if self._due_at is not None and not self.cycle.response_complete:
            self._due_at += len(body) / self.body_bytes_per_second
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Expect nothing more: now the client waits, unless it was answered before it ended."""
        self._in_body = False
        self._unframed_bytes = 0
        self._due_at = None
        super().on_message_complete()
        if self._open_cycle() is None:
            self._expect_head()  # uvicorn's clock of idle connections has been stopped by the body

    def pause_writing(self) -> None:
        """Start the clock of a client that does not read its answer."""
        self._stalled_at = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Stop that clock."""
        self._stalled_at = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer what the parser or `judge_head` refused; uvicorn calls this for both."""
        self._refuse(self._refusal or Refusal(400, msg))

    def _judge_head(self) -> Refusal | None:
        version = self.parser.get_http_version()
        if self.parser.should_upgrade():
            return Refusal(400, "No other protocol is spoken here: send no Upgrade header.")
        return judge_request_line(version, self.url, self.max_head_bytes) or judge_headers(
            version, self.headers, self.max_head_bytes
        )

    def _expect_head(self) -> None:
        if self._due_at is None:
            self._due_at = self.loop.time() + self.head_seconds

    def _watch_deadlines(self) -> None:
        """Look at the clocks each second: cheaper than a timer for each request."""
        now = self.loop.time()
        if self._stalled_at is not None and now >= self._stalled_at + self.stall_seconds:
            self.transport.abort()
            return
        if self._due_at is not None and self._is_our_turn():
            self._due_at = now + self.head_seconds
        if self._due_at is not None and now >= self._due_at:
            self._refuse(Refusal(408, "The request took too long to arrive."))
            return
        wait = _WATCH_SECONDS if self._due_at is None else min(_WATCH_SECONDS, self._due_at - now)
        self._watch = self.loop.call_later(wait, self._watch_deadlines)

    def _is_our_turn(self) -> bool:
        """Tell whether the client waits for us: to read on, or to answer what it sent before."""
        return self.flow.read_paused or (not self._in_body and self._open_cycle() is not None)

    def _refuse(self, refusal: Refusal) -> None:
        _log.warning("http.refused", status=refusal.status, reason=refusal.detail)
        cycle = self._open_cycle()
        if self._may_answer(cycle):
            self.transport.write(self._render(refusal))
        if cycle is not None:
            cycle.disconnected = True  # what the application still sends is dropped
            cycle.message_event.set()
        self.transport.close()

    def _open_cycle(self) -> RequestResponseCycle | None:
        """Find the newest request that is not answered yet."""
        cycle: RequestResponseCycle | None = vars(self)["cycle"]  # uvicorn types it as never None
        return None if cycle is None or cycle.response_complete else cycle

    def _may_answer(self, cycle: RequestResponseCycle | None) -> bool:
        """Tell whether an answer would be taken for the one to the request at fault."""
        if cycle is None:
            return not self._in_body  # an early answer was sent, the rest of its body is dropped
        return cycle.more_body and not cycle.response_started and not self.pipeline

    def _render(self, refusal: Refusal) -> bytes:
        """Write a whole answer: RFC 9457 with its generic type, as no route is involved."""
        phrase = HTTPStatus(refusal.status).phrase
        document = {"title": phrase, "status": refusal.status, "detail": refusal.detail}
        body = json.dumps(document, separators=(",", ":")).encode("ascii")
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/problem+json"),
            (b"content-length", b"%d" % len(body)),
            (b"x-content-type-options", b"nosniff"),
            (b"connection", b"close"),
        ]
        lines = [b"HTTP/1.1 %d %s" % (refusal.status, phrase.encode("ascii"))]
        lines += [name + b": " + value for name, value in headers]
        return b"\r\n".join([*lines, b"", body])
