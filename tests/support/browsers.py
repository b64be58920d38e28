"""A browser without a screen: it keeps cookies, and sends forms as its pages hold them."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlencode

import httpx
from starlette.types import ASGIApp

from license_server.app import answer_error
from license_server.errors import BodyTooLarge
from license_server.forwarding import TrustedProxies
from license_server.logs import AccessLog
from license_server.middleware import HttpEdge
from support.admin_api import Clock

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
_TAG = re.compile(r"<[^>]+>")
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Shown:
    """A page as it came.

    Attributes:
        response: the whole answer.
    """

    response: httpx.Response

    @property
    def status(self) -> int:
        """Of the answer."""
        return self.response.status_code

    @property
    def html(self) -> str:
        """The page."""
        return self.response.text

    @property
    def text(self) -> str:
        """What a person reads of it, blanks collapsed."""
        return " ".join(unescape(_TAG.sub(" ", self.html)).split())

    @property
    def location(self) -> str:
        """Where it sends the browser."""
        return str(self.response.headers.get("location", ""))

    @property
    def heading(self) -> str:
        """Its title."""
        found = re.search(r"<h1>(.*?)</h1>", self.html, re.DOTALL)
        return " ".join(_TAG.sub(" ", found[1]).split()) if found else ""

    def hidden(self) -> dict[str, str]:
        """Return the hidden fields of its forms."""
        return {name: unescape(value) for name, value in _HIDDEN.findall(self.html)}

    def value(self, name: str) -> str:
        """Return what a field holds."""
        found = re.search(rf'<input id="{name}" [^>]*?value="([^"]*)"', self.html)
        area = re.search(rf'<textarea id="{name}"[^>]*>(.*?)</textarea>', self.html, re.DOTALL)
        match = found or area
        assert match, f"the page has no field {name}"
        return unescape(match[1])

    def secret(self, name: str) -> str:
        """Return what is shown this once."""
        found = re.search(rf'<code id="{name}">([^<]+)</code>', self.html)
        assert found, f"the page shows no {name}: {self.text}"
        return unescape(found[1])


@dataclass
class Browser:
    """A browser.

    Attributes:
        http: sends requests and keeps cookies.
        clock: of the server.
    """

    http: httpx.AsyncClient
    clock: Clock = field(default_factory=Clock)

    async def open(self, path: str, **headers: str) -> Shown:
        """Open an address."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return Shown(await self.http.get(path, headers=sent))

    async def send(self, path: str, fields: Mapping[str, object]) -> Shown:
        """Send fields as they are, without opening a page before."""
        body = urlencode(fields, doseq=True)
        return Shown(await self.http.post(path, content=body, headers={"content-type": FORM}))

    async def submit(self, path: str, at: str | None = None, **fields: object) -> Shown:
        """Open a page and send its form, its hidden fields with what is typed; `at` = elsewhere."""
        hidden = (await self.open(at or path)).hidden()
        return await self.send(path, {**hidden, **fields})

    def cookie(self, name: str) -> str | None:
        """Return a cookie."""
        return self.http.cookies.get(name)


@asynccontextmanager
async def browsing(app: ASGIApp, clock: Clock) -> AsyncIterator[Browser]:
    """Open a new browser on an application behind the edge that every server has."""
    edge = HttpEdge(
        app,
        answer_error=answer_error,
        too_large=BodyTooLarge,
        max_body_bytes=2**20,
        proxies=TrustedProxies(()),
        access_log=AccessLog(clock, None),
    )
    transport = httpx.ASGITransport(edge, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://vendor.test") as http:
        yield Browser(http, clock)
