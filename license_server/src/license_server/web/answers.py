"""Answers to browsers: pages, redirections and files, under one strict policy."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote, urlencode

from starlette.types import Send

from license_server.errors import NotFound
from license_server.middleware import RawResponse

Headers = Sequence[tuple[bytes, bytes]]

POLICY: Final = (
    b"default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    b"frame-ancestors 'none'"
)
"""No script, style or image but those of this server, and none inside a page."""

_TYPES: Final[Mapping[str, bytes]] = {
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
}
_HTML: Final = b"text/html; charset=utf-8"
_ONE_YEAR: Final = b"private, max-age=31536000, immutable"
_COOKIE: Final = "Path=/; Secure; HttpOnly; SameSite=Strict"


def page(text: str, status: int = HTTPStatus.OK, headers: Headers = ()) -> RawResponse:
    """Answer with a page."""
    body = text.encode()
    own = (
        (b"content-type", _HTML),
        (b"content-length", b"%d" % len(body)),
        (b"content-security-policy", POLICY),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"x-robots-tag", b"noindex"),
    )
    return RawResponse(status, (*own, *headers), body)


def redirection(to: str, headers: Headers = ()) -> RawResponse:
    """Answer a form that was served: the browser gets `to`, and a reload sends nothing again."""
    location = quote(to, safe="/?&=%#:+,._~-").encode("ascii")
    own = ((b"location", location), (b"content-length", b"0"))
    return RawResponse(HTTPStatus.SEE_OTHER, (*own, *headers), b"")


def redirection_of_script(to: str) -> RawResponse:
    """Answer htmx, which would put a page that it is redirected to into its own."""
    headers = ((b"hx-redirect", to.encode("ascii")), (b"content-length", b"0"))
    return RawResponse(HTTPStatus.NO_CONTENT, headers, b"")


def query(**members: object) -> str:
    """Return a query of the members that are neither None nor empty."""
    given = {name: str(value) for name, value in members.items() if value not in {None, ""}}
    return urlencode(given)


def attachment(body: bytes, media_type: str, name: str) -> RawResponse:
    """Answer with a file to be kept; the name is ASCII without quotation marks."""
    headers = (
        (b"content-type", media_type.encode("ascii")),
        (b"content-length", b"%d" % len(body)),
        (b"content-disposition", f'attachment; filename="{name}"'.encode("ascii")),
    )
    return RawResponse(HTTPStatus.OK, headers, body)


def set_cookie(name: str, value: str) -> tuple[bytes, bytes]:
    """Return the header that gives a browser a cookie until it is closed.

    The names begin with `__Host-`: no other host and no plain connection can set one (RFC 6265bis).
    """
    return (b"set-cookie", f"{name}={value}; {_COOKIE}".encode("ascii"))


def drop_cookie(name: str) -> tuple[bytes, bytes]:
    """Return the header that takes a cookie away."""
    return (b"set-cookie", f"{name}=; Max-Age=0; {_COOKIE}".encode("ascii"))


def require_static_file(name: str) -> RawResponse:
    """Return a file that pages load.

    Raises:
        NotFound: there is none of this name.
    """
    media_type = _TYPES.get(PurePosixPath(name).suffix)
    body = _static_files().get(name)
    if media_type is None or body is None:
        raise NotFound("there is no such file")
    headers = (
        (b"content-type", media_type),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", _ONE_YEAR),
    )
    return RawResponse(HTTPStatus.OK, headers, body)


@cache
def static_version(name: str) -> str:
    """Return what changes with a file: browsers keep it for a year under one address."""
    return hashlib.sha256(_static_files()[name]).hexdigest()[:16]


@cache
def _static_files() -> Mapping[str, bytes]:
    folder = files("license_server.web").joinpath("static")
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


async def send_response(send: Send, response: RawResponse) -> None:
    """Send a whole answer."""
    start = {"status": response.status, "headers": list(response.headers)}
    await send({"type": "http.response.start", **start})
    await send({"type": "http.response.body", "body": response.body})
