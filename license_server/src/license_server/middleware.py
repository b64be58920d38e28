"""The ASGI edge: what holds for every request, in one pass around the application.

1. A trusted proxy names the client, its scheme and the request id; nobody else can.
2. A body is counted as it comes and ends at `max_body_bytes`, whatever it declared.
3. Every answer gets the request id, and the security headers that it does not set itself.
4. What the application raises becomes one whole answer, and is logged when it is our fault.
5. One access line a request, without the query.

Pure ASGI, because Starlette's `BaseHTTPMiddleware` costs several times the rest of a request.
"""

import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from time import perf_counter
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from license_server.forwarding import TrustedProxies
from license_server.logs import REQUEST_ID, AccessLog

_SECURITY_HEADERS: Final = (  # OWASP Secure Headers Project, for an API
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
_HTTPS_HEADERS: Final = (
    *_SECURITY_HEADERS,
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
)
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RawResponse:
    """A whole answer, ready to be sent.

    Attributes:
        status: of the answer.
        headers: names in lower case; content-type and content-length among them.
        body: as many bytes as content-length says.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class HttpEdge:
    """An ASGI application around another one.

    The inner one finds the request id in `scope["state"]["request_id"]` and the address of the
    client in `scope["client"]`.

    Args:
        app: the application; what it raises is answered here.
        answer_error: renders any exception for a request's scope; it must not raise.
        too_large: makes the exception that reading an oversized body raises.
        max_body_bytes: longest body that is read.
        proxies: whose forwarded headers are believed.
        access_log: gets one line a request.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        answer_error: Callable[[Exception, Scope], RawResponse],
        too_large: Callable[[str], Exception],
        max_body_bytes: int,
        proxies: TrustedProxies,
        access_log: AccessLog,
    ) -> None:
        self._app = app
        self._answer_error = answer_error
        self._too_large = too_large
        self._max_body_bytes = max_body_bytes
        self._proxies = proxies
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; what is not HTTP (the lifespan) is handed on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_at = perf_counter()
        request_id = self._identify(scope)
        body = _Body(receive, self._max_body_bytes, self._too_large)
        answer = _Answer(send, request_id, scope["scheme"])
        try:
            body.require_fitting_length(scope)
            await self._app(scope, body.receive, answer.send)
        except Exception as error:  # noqa: BLE001 - the process edge: it answers and logs
            await answer.send_error(error, self._answer_error(error, scope))
        finally:
            self._access_log.write(
                request_id=request_id,
                client=scope["client"][0] if scope["client"] else "",
                method=scope["method"],
                path=scope["path"],
                status=answer.status,
                seconds=perf_counter() - started_at,
            )

    def _identify(self, scope: Scope) -> str:
        """Write client, scheme and request id into the scope, and return the id."""
        request_id = None
        peer = scope["client"]
        if peer and self._proxies.includes(peer[0]):
            headers = scope["headers"]
            scope["client"] = (self._proxies.client_of(peer[0], headers), 0)
            if _last(headers, b"x-forwarded-proto") == "https":
                scope["scheme"] = "https"
            request_id = _last(headers, b"x-request-id")
        if request_id is None or not _REQUEST_ID.fullmatch(request_id):
            request_id = secrets.token_hex(8)
        REQUEST_ID.set(request_id)
        scope.setdefault("state", {})["request_id"] = request_id
        return request_id


class _Body:
    """A request's body that raises once it is longer than allowed."""

    __slots__ = ("_left", "_limit", "_receive", "_too_large")

    def __init__(self, receive: Receive, limit: int, too_large: Callable[[str], Exception]) -> None:
        self._receive = receive
        self._limit = limit
        self._left = limit
        self._too_large = too_large

    def require_fitting_length(self, scope: Scope) -> None:
        """Raise for a length that is declared too large, before a byte is read."""
        declared = _last(scope["headers"], b"content-length")
        if declared is not None and declared.isdigit() and int(declared) > self._limit:
            raise self._error()

    async def receive(self) -> Message:
        """Receive the next part, or raise if the body is now too long."""
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise self._error()
        return message

    def _error(self) -> Exception:
        return self._too_large(f"The body must be at most {self._limit} bytes long.")


class _Answer:
    """The answer to one request on its way out.

    Attributes:
        status: 0 until the answer begins.
    """

    __slots__ = ("_headers", "_send", "status")

    def __init__(self, send: Send, request_id: str, scheme: str) -> None:
        self._send = send
        fixed = _HTTPS_HEADERS if scheme == "https" else _SECURITY_HEADERS
        self._headers = ((b"x-request-id", request_id.encode("ascii")), *fixed)
        self.status = 0

    async def send(self, message: Message) -> None:
        """Hand a message on, the first one with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = list(message.get("headers", ()))
            names = {name for name, _ in own}
            message["headers"] = own + [pair for pair in self._headers if pair[0] not in names]
        await self._send(message)

    async def send_error(self, error: Exception, answer: RawResponse) -> None:
        """Log what is not the client's fault; answer unless an answer has begun.

        One that has begun is left incomplete, upon which uvicorn closes the connection.
        """
        if self.status or answer.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("http.failed", exc_info=error)
        elif answer.status > HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.warning("http.unavailable", reason=str(error))
        if self.status:
            return
        await self.send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": list(answer.headers),
            }
        )
        await self.send({"type": "http.response.body", "body": answer.body})


def _last(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    """Return the last value of a header: the one that the nearest proxy wrote."""
    found = None
    for key, value in headers:
        if key == name:
            found = value
    return None if found is None else found.decode("latin-1")
