"""A browser's request: its query, its cookies and its form, each parsed once and completely."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from license_server.errors import FieldError, InvalidField, UnsupportedMediaType
from license_server.request_bodies import read_body

MAX_FORM_BYTES: Final = 256 * 1024
_MAX_FIELDS: Final = 2_000
_FORM: Final = "application/x-www-form-urlencoded"


class ClientLeft(Exception):  # noqa: N818 - says what happened; nobody is there to be answered
    """The client left before its request was whole."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The members of a query or a form; its `repr` shows no values.

    Attributes:
        pairs: names and values in their order; a name may come several times.
    """

    pairs: Sequence[tuple[str, str]] = field(default=(), repr=False)

    def get(self, name: str, default: str = "") -> str:
        """Return the last value of a name, without blanks around it."""
        return next((v.strip() for n, v in reversed(self.pairs) if n == name), default)

    def given(self, name: str) -> str | None:
        """Return the same; None = it is missing or empty."""
        return self.get(name) or None

    def exactly(self, name: str) -> str:
        """Return the last value of a name as it was typed, such as a password."""
        return next((v for n, v in reversed(self.pairs) if n == name), "")

    def all(self, name: str) -> list[str]:
        """Return all values of a name that are not empty."""
        return [value for n, value in self.pairs if n == name and value]

    def has(self, name: str) -> bool:
        """Tell whether there is such a name."""
        return any(n == name for n, _ in self.pairs)

    def lines(self, name: str) -> list[str]:
        """Return the lines of a text that are not empty."""
        return [line.strip() for line in self.get(name).splitlines() if line.strip()]

    def without(self, *names: str) -> "Fields":
        """Return all but some."""
        return Fields(tuple(pair for pair in self.pairs if pair[0] not in names))


@dataclass(frozen=True, slots=True)
class Request:
    """A request.

    Attributes:
        scope: of ASGI.
        query: its query.
        cookies: by name.
        form: its form; none of a GET.
    """

    scope: Scope = field(repr=False)
    query: Fields
    cookies: Mapping[str, str] = field(repr=False)
    form: Fields = field(default_factory=Fields, repr=False)

    @property
    def method(self) -> str:
        """GET, or POST; HEAD is served as GET."""
        method: str = self.scope["method"]
        return "GET" if method == "HEAD" else method

    @property
    def path(self) -> str:
        """Of the address."""
        path: str = self.scope["path"]
        return path

    @property
    def address(self) -> str:
        """Path and query."""
        query = self.scope["query_string"].decode("latin-1")
        return f"{self.path}?{query}" if query else self.path

    @property
    def source(self) -> str:
        """Address of the client."""
        return self.scope["client"][0] if self.scope["client"] else ""

    @property
    def request_id(self) -> str:
        """What the log knows it by."""
        request_id: str = self.scope["state"]["request_id"]
        return request_id

    @property
    def is_by_script(self) -> bool:
        """Tell whether htmx asks, for a part of a page."""
        return self.header(b"hx-request") == "true"

    def moved_to(self, address: str) -> "Request":
        """Return a GET of another address by the same browser."""
        path, _, query = address.partition("?")
        encoded = query.encode("ascii")
        scope = {**self.scope, "method": "GET", "path": path, "query_string": encoded}
        return Request(scope, _fields(encoded, "query"), self.cookies)

    def header(self, name: bytes) -> str:
        """Return the last value of a header; "" if it is missing."""
        values = [value for key, value in self.scope["headers"] if key == name]
        return values[-1].decode("latin-1") if values else ""


async def read_request(scope: Scope, receive: Receive) -> Request:
    """Read a whole request.

    Raises:
        BodyTooLarge: the form has more than `MAX_FORM_BYTES`.
        UnsupportedMediaType: the body is no form.
        InvalidField: query or form are not well-formed.
        ClientLeft: it ends too soon.
    """
    query = _fields(scope["query_string"], "query")
    request = Request(scope, query, _cookies(scope))
    if request.method != "POST":
        return request
    body = await read_body(receive, MAX_FORM_BYTES)
    if body is None:
        raise ClientLeft
    declared = request.header(b"content-type").partition(";")[0].strip().lower()
    if declared != _FORM:
        raise UnsupportedMediaType(f"the header Content-Type: {_FORM} is expected")
    return Request(scope, query, request.cookies, _fields(body, "form"))


def _fields(encoded: bytes, name: str) -> Fields:
    try:
        pairs = parse_qsl(
            encoded.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError as error:
        raise InvalidField(FieldError(name, "percent-encoded UTF-8 is expected")) from error
    if any("\0" in text for pair in pairs for text in pair):
        raise InvalidField(FieldError(name, "text without NUL is expected"))
    return Fields(tuple((name, value.replace("\r\n", "\n")) for name, value in pairs))


def _cookies(scope: Scope) -> Mapping[str, str]:
    header = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    jar = SimpleCookie()
    try:
        jar.load(header.decode("latin-1"))
    except CookieError:  # of another site on this host
        return {}
    return {name: morsel.value for name, morsel in jar.items()}
