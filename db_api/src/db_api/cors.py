"""Pages of other sites (CORS, the Fetch standard): closed unless CORS_ORIGINS names them.

Two parts, because a refusal is rendered between them and a page must be able to read that too:
`CorsHeaders` stands around the whole edge, `Preflights` inside it, before any credential is asked.
"""

import re
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ORIGIN: Final = re.compile(
    r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?|https?://\[[0-9a-f:.]+\](?::[0-9]{1,5})?"
)
_HEADER_NAMES: Final = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~ ,-]{1,1024}")
_ANY: Final = "*"
_METHODS: Final = b"GET, HEAD, POST, PATCH, PUT, DELETE, OPTIONS"
_EXPOSED: Final = (
    b"Content-Location, Content-Range, Link, Location, Preference-Applied, Retry-After, "
    b"X-Request-Id, X-Result-Truncated"
)
_MAX_AGE_SECONDS: Final = b"7200"  # what the most patient browser keeps (Chromium)


def is_origin(text: str) -> bool:
    """Tell whether a text is `*` or an origin: scheme and host, a port perhaps, no path."""
    return text == _ANY or _ORIGIN.fullmatch(text) is not None


class CrossOriginRule:
    """Which origins may read answers.

    Args:
        origins: as browsers write them, or `*` for all.
        with_credentials: whether a page may have the browser send its HTTP Basic login along.
    """

    def __init__(self, origins: tuple[str, ...], *, with_credentials: bool) -> None:
        self._origins = frozenset(origin.encode() for origin in origins)
        self._is_open = _ANY in origins
        self._credentials = (
            [(b"access-control-allow-credentials", b"true")] if with_credentials else []
        )

    def headers_for(self, origin: bytes) -> list[tuple[bytes, bytes]]:
        """Return what lets a page of this origin read an answer; nothing if it may not."""
        if self._is_open:
            return [(b"access-control-allow-origin", b"*"), *self._exposed()]
        varying = (b"vary", b"Origin")
        if origin not in self._origins:
            return [varying]
        return [
            varying, (b"access-control-allow-origin", origin), *self._credentials, *self._exposed()
        ]  # fmt: skip

    @staticmethod
    def _exposed() -> list[tuple[bytes, bytes]]:
        return [(b"access-control-expose-headers", _EXPOSED)]


class CorsHeaders:
    """An ASGI application whose answers say which pages may read them."""

    def __init__(self, app: ASGIApp, rule: CrossOriginRule) -> None:
        self._app = app
        self._rule = rule

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, its answer with more headers."""
        origin = _header(scope, b"origin")
        added = self._rule.headers_for(origin or b"")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *added]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class Preflights:
    """An ASGI application that answers a browser's question whether a request may be sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, whose origin `CorsHeaders` has judged; hand on all else."""
        if not _is_preflight(scope):
            await self._app(scope, receive, send)
            return
        asked = _header(scope, b"access-control-request-headers") or b""
        allowed = asked if _HEADER_NAMES.fullmatch(asked) else b""
        headers = [
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", allowed),
            (b"access-control-max-age", _MAX_AGE_SECONDS),
        ]
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def _is_preflight(scope: Scope) -> bool:
    return (
        scope["method"] == "OPTIONS"
        and _header(scope, b"origin") is not None
        and _header(scope, b"access-control-request-method") is not None
    )


def _header(scope: Scope, name: bytes) -> bytes | None:
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None
