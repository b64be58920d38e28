"""One request of the data side: its query string and headers, read into a `Request`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

from db_api.grammar.ast import Query
from db_api.grammar.media import (
    JSON_ARRAY,
    BodyForm,
    LineForm,
    Representation,
    read_accept,
    read_content_type,
)
from db_api.grammar.preferences import NONE, Preferences, read_preferences
from db_api.grammar.query import read_query
from db_api.grammar.ranges import Page, intersect, read_range
from db_api.rest_errors import RestError

Method = Literal["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"})
CALL_METHODS: Final = frozenset({"GET", "HEAD", "POST"})
_WRITES: Final = frozenset({"POST", "PATCH", "PUT", "DELETE"})
_WITH_BODY: Final = frozenset({"POST", "PATCH", "PUT"})
"""Methods whose body says something; what a DELETE brings is not even read (clients send `{}`)."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks of a table or function.

    Attributes:
        name: of the table or function, as in the path.
        is_call: it is about a function.
        body_form: what its body is said to be.
        page: which rows of a read are asked for.
        profile: the schema that it names, if it names one.
        headers: as ASGI gives them.
        query_string: as it came.
    """

    method: Method
    name: str
    query: Query
    preferences: Preferences
    representation: Representation
    body_form: BodyForm
    page: Page
    profile: str | None
    is_call: bool = False
    headers: Sequence[tuple[bytes, bytes]] = ()
    query_string: bytes = b""

    @property
    def line_form(self) -> LineForm | None:
        """In which form it brings rows, of any number, none of which are answered; None for no."""
        is_minimal = self.preferences.returning == "minimal" and not self.representation.is_object
        if self.method != "POST" or self.is_call or not is_minimal:
            return None
        return self.body_form if self.body_form in ("csv", "ndjson") else None

    @property
    def is_stream(self) -> bool:
        """Tell whether it is for lines of text, of any number."""
        is_read = self.method == "GET" and not self.is_call
        return is_read and self.representation.form != "json"


def read_request(
    method: str,
    name: str,
    query_string: bytes,
    headers: Sequence[tuple[bytes, bytes]],
    *,
    is_call: bool = False,
) -> Request:
    """Read a request, its body aside.

    Args:
        method: in capitals.
        name: of the table or function in the path, decoded.
        query_string: as it came.
        headers: names in lower case, as ASGI gives them.
        is_call: it is about a function.

    Raises:
        RestError: any part of it is malformed, over a limit or not served.
    """
    if method not in METHODS:
        raise RestError("PGRST117", f"Unsupported HTTP method: {method}")
    if is_call and method not in CALL_METHODS:
        raise RestError("PGRST101", f"Cannot use the {method} method on RPC")
    known = _Headers(headers)
    body_form: BodyForm = "json"
    if method in _WITH_BODY:
        body_form = read_content_type(known.content_type, takes_raw=is_call)
    query = read_query(query_string, has_arguments=is_call and method != "POST")
    if query.after is not None and (is_call or method in _WRITES):
        raise RestError("DBAPI431", "_after is for GET of a table: remove it")
    page = Page(query.offset, query.limit)
    if method == "GET" and known.range is not None:
        page = intersect(page, read_range(known.range) or page)
    return Request(
        method=cast("Method", method),
        name=name,
        query=query,
        preferences=read_preferences(known.prefer) if known.prefer else NONE,
        representation=JSON_ARRAY if known.accept is None else read_accept(known.accept),
        body_form=body_form,
        page=page,
        profile=known.content_profile if method in _WRITES else known.accept_profile,
        is_call=is_call,
        headers=headers,
        query_string=query_string,
    )


class _Headers:
    """The headers that mean something here, found in one pass."""

    __slots__ = ("accept", "accept_profile", "content_profile", "content_type", "prefer", "range")

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.accept: str | None = None
        self.accept_profile: str | None = None
        self.content_profile: str | None = None
        self.content_type: str | None = None
        self.range: str | None = None
        self.prefer: list[str] = []
        for name, value in headers:
            if name == b"prefer":
                self.prefer.append(value.decode("latin-1"))
            elif name == b"accept":
                text = value.decode("latin-1")
                self.accept = text if self.accept is None else f"{self.accept},{text}"
            elif name == b"accept-profile":
                self.accept_profile = _decode_name(value)
            elif name == b"content-profile":
                self.content_profile = _decode_name(value)
            elif name == b"content-type":
                self.content_type = value.decode("latin-1")
            elif name == b"range":
                self.range = value.decode("latin-1")


def _decode_name(value: bytes) -> str:
    return value.decode("utf-8", "replace").strip()
