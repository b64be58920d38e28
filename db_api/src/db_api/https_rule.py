"""Keys and logins travel encrypted, or not at all.

What comes in the clear from another machine is refused before anything is looked up: it has been
readable on its way, so that its credential counts as exposed and is told of. A proxy in
TRUSTED_PROXIES says by `X-Forwarded-Proto` how its client came; whoever passes it by, to a service
that listens beyond this machine without TLS, came in the clear. Pages are redirected instead, since
a person typed their address; a redirect of an API would hide from its caller what it does wrong.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from db_api.addresses import is_loopback
from db_api.errors import HttpsRequiredError
from db_api.forwarding import TrustedProxies

_MARK: Final = "came_in_the_clear"
_ALWAYS: Final = ("/api/health",)  # probes come from the network inside and carry nothing
_PAGES: Final = frozenset({"/docs"})

NoteExposure = Callable[[Scope], Awaitable[None]]
"""Takes note of the credential of a request that came in the clear."""


class ArrivalWatch:
    """An ASGI application around the edge: only here the peer is still the one that connected.

    Args:
        app: the edge.
        proxies: whose word counts.
        refuses_strangers: whether others may come by HTTPS only.
    """

    def __init__(self, app: ASGIApp, proxies: TrustedProxies, *, refuses_strangers: bool) -> None:
        self._app = app
        self._proxies = proxies
        self._refuses_strangers = refuses_strangers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Mark a request that came in the clear, and hand it on."""
        if self._came_in_the_clear(scope):
            scope.setdefault("state", {})[_MARK] = True
        await self._app(scope, receive, send)

    def _came_in_the_clear(self, scope: Scope) -> bool:
        peer = scope["client"]
        if not peer:
            return False
        if self._proxies.includes(peer[0]):
            return _forwarded_scheme(scope["headers"]) == b"http"
        is_plain = scope["scheme"] == "http" and not is_loopback(peer[0])
        return self._refuses_strangers and is_plain


class HttpsOnly:
    """An ASGI application that answers what came encrypted.

    Args:
        app: gets it.
        note: takes note of an exposed credential.
    """

    def __init__(self, app: ASGIApp, note: NoteExposure) -> None:
        self._app = app
        self._note = note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, redirect it or raise."""
        if not scope["state"].get(_MARK) or scope["path"].startswith(_ALWAYS):
            await self._app(scope, receive, send)
            return
        if scope["path"] in _PAGES and scope["method"] in {"GET", "HEAD"}:
            await _redirect(scope, send)
            return
        await self._note(scope)
        raise HttpsRequiredError(
            "This request came in the clear; only HTTPS is answered.",
            hint="Use https://. Whoever was on the way could read the credential: replace it.",
        )


def _forwarded_scheme(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Return what the nearest proxy wrote last."""
    scheme = b""
    for name, value in headers:
        if name == b"x-forwarded-proto":
            scheme = value.rpartition(b",")[2].strip().lower()
    return scheme


async def _redirect(scope: Scope, send: Send) -> None:
    host = next(value for name, value in scope["headers"] if name == b"host")  # the guard saw it
    query = scope["query_string"]
    name = host.rpartition(b":")[0] if host[-1:].isdigit() and b":" in host else host
    location = b"https://" + name + scope["path"].encode() + (b"?" + query if query else b"")
    headers = [(b"location", location), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 308, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
