"""From an OpenAPI 3.1 document to what its page shows.

References inside the document are followed; those to schemas become links. It reads our own
documents, which tests hold valid, and not whatever the specification allows.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

from license_server.reference.schemas import (
    Member,
    NamedSchema,
    Schema,
    Word,
    members,
    named_schema,
    words,
)

Document = Mapping[str, Any]

_METHODS: Final = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter, or a header of an answer.

    Attributes:
        name: of it.
        place: `path`, `query` or `header`.
        is_required: it must be there.
        words: what its value is.
        description: what it means; may be empty.
    """

    name: str
    place: str
    is_required: bool
    words: Sequence[Word]
    description: str


@dataclass(frozen=True, slots=True)
class Content:
    """A body of one media type.

    Attributes:
        media_type: of it.
        words: what it is.
        members: of an object that has no name.
        examples: whole bodies, by name.
    """

    media_type: str
    words: Sequence[Word]
    members: Sequence[Member]
    examples: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request."""

    is_required: bool
    description: str
    contents: Sequence[Content]


@dataclass(frozen=True, slots=True)
class Answer:
    """What may be answered."""

    status: str
    description: str
    headers: Sequence[Parameter]
    contents: Sequence[Content]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked for.

    Attributes:
        name: unique; the anchor of its place on the page.
        method: upper case.
        path: with names in braces.
        summary: one line.
        description: more of it; may be empty.
        parameters: of the request.
        body: of the request; None = it has none.
        answers: by status.
    """

    name: str
    method: str
    path: str
    summary: str
    description: str
    parameters: Sequence[Parameter]
    body: Body | None
    answers: Sequence[Answer]


@dataclass(frozen=True, slots=True)
class Group:
    """Operations that belong together."""

    name: str
    description: str
    operations: Sequence[Operation]


@dataclass(frozen=True, slots=True)
class Page:
    """All that is shown.

    Attributes:
        title: of the API.
        version: of the API.
        description: of the API; may be empty.
        credential: what a request must carry; empty = nothing.
        groups: the operations.
        schemas: what they refer to.
    """

    title: str
    version: str
    description: str
    credential: str
    groups: Sequence[Group]
    schemas: Sequence[NamedSchema]


def read_page(document: Document, files: Mapping[str, Schema]) -> Page:
    """Return what a page shows of a document.

    Args:
        document: of the API.
        files: schemas in files beside it, by their name without `.json`.
    """
    info, components = document["info"], document["components"]
    schemes = components.get("securitySchemes", {}).values()
    return Page(
        title=info["title"],
        version=info["version"],
        description=info.get("summary", ""),
        credential=", ".join(scheme["description"] for scheme in schemes),
        groups=tuple(_groups(document)),
        schemas=tuple(
            named_schema(name, schema)
            for name, schema in {**components["schemas"], **files}.items()
        ),
    )


def _groups(document: Document) -> Iterator[Group]:
    told = {tag["name"]: tag.get("description", "") for tag in document.get("tags", ())}
    grouped: dict[str, list[Operation]] = {}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                operation = _operation(document, path, method)
                grouped.setdefault(item[method]["tags"][0], []).append(operation)
    for name, operations in grouped.items():
        yield Group(name, told.get(name, ""), tuple(operations))


def _operation(document: Document, path: str, method: str) -> Operation:
    item = document["paths"][path]
    told = item[method]
    parameters = (*item.get("parameters", ()), *told.get("parameters", ()))
    body = told.get("requestBody")
    return Operation(
        name=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told["summary"],
        description=told.get("description", ""),
        parameters=tuple(_parameter(one["name"], one["in"], one) for one in parameters),
        body=None if body is None else _body(document, body),
        answers=tuple(
            _answer(document, status, _followed(document, answer))
            for status, answer in sorted(told["responses"].items())
        ),
    )


def _parameter(name: str, place: str, told: Document) -> Parameter:
    return Parameter(
        name=name,
        place=place,
        is_required=told.get("required", False),
        words=tuple(words(told["schema"])),
        description=told.get("description", "") or told["schema"].get("description", ""),
    )


def _body(document: Document, told: Document) -> Body:
    return Body(
        is_required=told.get("required", False),
        description=told.get("description", ""),
        contents=tuple(_contents(document, told)),
    )


def _answer(document: Document, status: str, told: Document) -> Answer:
    headers = {
        name: _followed(document, header) for name, header in told.get("headers", {}).items()
    }
    return Answer(
        status=status,
        description=told["description"],
        headers=tuple(_parameter(name, "header", header) for name, header in headers.items()),
        contents=tuple(_contents(document, told)),
    )


def _contents(document: Document, told: Document) -> Iterator[Content]:
    for media_type, content in told.get("content", {}).items():
        schema = content["schema"]
        examples = {
            name: json.dumps(_followed(document, example)["value"], indent=2, ensure_ascii=False)
            for name, example in content.get("examples", {}).items()
        }
        yield Content(media_type, tuple(words(schema)), tuple(members(schema)), examples)


def _followed(document: Document, node: Document) -> Document:
    """Return what a node refers to in its document; a node without a reference is itself."""
    reference: str | None = node.get("$ref")
    if reference is None:
        return node
    names = reference.removeprefix("#/").split("/")
    found: Document = reduce(lambda inner, name: inner[name], names, document)
    return found
