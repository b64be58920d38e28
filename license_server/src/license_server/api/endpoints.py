"""What an endpoint of the admin API is: one value from which routing, checks and documents come."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from license_server.desk import Desk
from license_server.errors import EtagMismatch
from license_server.stores import Import
from license_server.tokens import Role

READERS: Final = frozenset(Role)
SUPPORTERS: Final = frozenset({Role.OWNER, Role.ISSUER, Role.SUPPORT})
ISSUERS: Final = frozenset({Role.OWNER, Role.ISSUER})
AUDITORS: Final = frozenset({Role.OWNER, Role.AUDITOR})
OWNERS: Final = frozenset({Role.OWNER})


class Members(BaseModel):
    """A request's query or body: strict about types and about names that it does not know."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)


class Nothing(Members):
    """A query or a body without members."""


class Document(BaseModel):
    """What is answered."""

    model_config = ConfigDict(frozen=True)


Query = TypeVar("Query", bound=Members)
Body = TypeVar("Body", bound=Members)


@dataclass(frozen=True, slots=True)
class Call(Generic[Query, Body]):
    """A request that may be served: its caller is known, its members keep their rules.

    Attributes:
        desk: the unit of work; it commits when the handler returns.
        path: what stands in the path's braces.
        query: of the request.
        body: of the request.
        if_match: entity tags that the caller insists on; None = on none.
    """

    desk: Desk
    path: Mapping[str, str]
    query: Query
    body: Body
    if_match: str | None

    def require_version(self, version: int) -> None:
        """Do nothing if the caller knows this version, or insists on none.

        Raises:
            EtagMismatch: it knows another one.
        """
        tags = {tag.strip().removeprefix("W/") for tag in (self.if_match or "*").split(",")}
        if "*" not in tags and etag(version) not in tags:
            raise EtagMismatch("it was changed since you read it: read it again, then change it")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers.

    Attributes:
        document: becomes the body; None = no body.
        version: becomes the entity tag.
    """

    document: Document | None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[Query, Body]):
    """One thing that can be asked for.

    Attributes:
        method: of HTTP.
        path: with names in braces, such as `/v1/admin/products/{code}`.
        name: unique, noun and verb: `license.suspend`.
        summary: one line for people.
        roles: may ask.
        query: model of the query.
        body: model of the JSON body; `Nothing` = there is none.
        answer: model of the answer; None = none.
        handler: does it.
        status: of a good answer.
    """

    method: str
    path: str
    name: str
    summary: str
    roles: frozenset[Role]
    query: type[Query]
    body: type[Body]
    answer: type[Document] | None
    handler: Callable[[Call[Query, Body]], Awaitable[Reply]]
    status: HTTPStatus = HTTPStatus.OK


@dataclass(frozen=True, slots=True)
class StreamCall(Generic[Query]):
    """A request whose body or answer may be longer than memory.

    Attributes:
        open_desk: begins a unit of work; a stream may use several, one after the other.
        open_import: begins an import, at an instant.
        query: of the request.
        media_type: of the request's body, lower case, without parameters.
        body: of the request, in parts.
        idempotency_key: under which its answer may be asked for again; None = under none.
    """

    open_desk: Callable[[], AbstractAsyncContextManager[Desk]]
    open_import: Callable[[datetime], AbstractAsyncContextManager[Import]]
    query: Query
    media_type: str
    body: AsyncIterator[bytes]
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class Streamed:
    """A streamed answer: nothing is sent before its first part is there.

    Attributes:
        media_type: of all parts together.
        parts: of the body.
        is_replayed: this was answered before, to a request of the same idempotency key.
    """

    media_type: str
    parts: AsyncIterator[bytes]
    is_replayed: bool = False


@dataclass(frozen=True, slots=True)
class StreamEndpoint(Generic[Query]):
    """One thing that can be asked for and is answered as a stream of lines.

    Attributes:
        method: of HTTP.
        path: without names in braces.
        name: unique, noun and verb.
        summary: one line for people.
        roles: may ask.
        query: model of the query.
        takes: media types of the request's body; none = it has no body.
        gives: media types of the answer.
        handler: does it.
    """

    method: str
    path: str
    name: str
    summary: str
    roles: frozenset[Role]
    query: type[Query]
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    handler: Callable[[StreamCall[Query]], Awaitable[Streamed]]


AnyEndpoint = Endpoint[Any, Any] | StreamEndpoint[Any]


def etag(version: int) -> str:
    """Return the entity tag of a version."""
    return f'"{version}"'
