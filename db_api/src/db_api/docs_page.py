"""`/docs`: a page that shows what a key may do, without anything from elsewhere."""

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

PATHS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "/docs": ("page.html", "text/html; charset=utf-8"),
        "/docs/page.css": ("page.css", "text/css; charset=utf-8"),
        "/docs/page.js": ("page.js", "text/javascript; charset=utf-8"),
    }
)
"""The files by path, with their media types."""

_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
}


def routes() -> list[BaseRoute]:
    """Make the routes of the page."""
    return [Route(path, _File(*file)) for path, file in PATHS.items()]


class _File:
    """Answers with a file of the package, GET and HEAD alike."""

    def __init__(self, name: str, media_type: str) -> None:
        content = (files("db_api") / "docs" / name).read_bytes()
        self._answer = Response(content, media_type=media_type, headers=_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(scope, receive, send)
