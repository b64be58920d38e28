"""The reference over HTTP: the document for programs, and its page for people.

The page is made here, needs no script and nothing from elsewhere, and loads one stylesheet.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.resources import files
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.types import ASGIApp, Receive, Scope, Send

from license_server.middleware import RawResponse
from license_server.problems import MethodNotAllowed
from license_server.reference.reading import read_page

_METHODS: Final = ("GET", "HEAD")
_JSON: Final = "application/json"
_HTML: Final = "text/html; charset=utf-8"
_CSS: Final = "text/css; charset=utf-8"
_POLICY: Final = (
    b"default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    b"frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Source:
    """What a reference is made of.

    Attributes:
        read: returns the OpenAPI document, JSON in UTF-8.
        schemas: JSON Schemas in files beside it, by the name of the file.
    """

    read: Callable[[], bytes]
    schemas: Mapping[str, bytes] = field(default_factory=dict)


def contract() -> Source:
    """Return the published contract, as this package holds it."""
    wire = files("license_server").joinpath("wire")
    schemas = {file.name: file.read_bytes() for file in wire.joinpath("schemas").iterdir()}
    return Source(wire.joinpath("openapi.json").read_bytes, schemas)


class Reference:
    """An ASGI application that answers the addresses of a reference and hands on all others.

    They need no credential: they tell no secret, and a browser could not send one.

    Args:
        source: what is told.
        app: answers everything else.
    """

    def __init__(self, source: Source, app: ASGIApp) -> None:
        self._app = app
        self._answers: Mapping[str, Callable[[], RawResponse]] = {
            "/openapi.json": cache(partial(_document, source)),
            "/docs": cache(partial(_page, source)),
            "/docs/style.css": cache(_style),
            **{
                f"/schemas/{name}": partial(_answer, _JSON, schema)
                for name, schema in source.schemas.items()
            },
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            MethodNotAllowed: it would change something.
        """
        answer = self._answers.get(scope["path"])
        if answer is None:
            await self._app(scope, receive, send)
            return
        if scope["method"] not in _METHODS:
            raise MethodNotAllowed(", ".join(_METHODS))
        await _send(send, answer())


def _document(source: Source) -> RawResponse:
    return _answer(_JSON, source.read())


def _page(source: Source) -> RawResponse:
    schemas = {
        name.removesuffix(".json"): json.loads(schema) for name, schema in source.schemas.items()
    }
    templates = Environment(
        loader=PackageLoader("license_server.reference"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = read_page(json.loads(source.read()), schemas)
    text = templates.get_template("page.html").render(page=page)
    return _answer(_HTML, text.encode("utf-8"), (b"content-security-policy", _POLICY))


def _style() -> RawResponse:
    return _answer(_CSS, files("license_server.reference").joinpath("style.css").read_bytes())


def _answer(media_type: str, body: bytes, *headers: tuple[bytes, bytes]) -> RawResponse:
    content = (
        (b"content-type", media_type.encode("ascii")),
        (b"content-length", b"%d" % len(body)),
    )
    return RawResponse(200, (*content, *headers), body)


async def _send(send: Send, response: RawResponse) -> None:
    start = {"status": response.status, "headers": list(response.headers)}
    await send({"type": "http.response.start", **start})
    await send({"type": "http.response.body", "body": response.body})
