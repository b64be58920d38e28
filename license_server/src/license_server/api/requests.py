"""From the bytes of an admin request to its parsed members."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

from pydantic import ValidationError
from starlette.types import Receive, Scope

from license_server.api.endpoints import Members, Nothing
from license_server.errors import (
    BodyTooLarge,
    FieldError,
    InvalidField,
    UnsupportedMediaType,
)
from license_server.strict_json import read_object

MAX_JSON_BYTES: Final = 256 * 1024
"""Longest JSON body of an admin request."""
_MAX_QUERY_MEMBERS: Final = 100

_Model = TypeVar("_Model", bound=Members)


class ClientLeft(Exception):  # noqa: N818 - says what happened; nobody is there to be answered
    """The client left before its request was whole."""


def header(scope: Scope, name: bytes) -> str | None:
    """Return the last value of a header."""
    values = [value for key, value in scope["headers"] if key == name]
    return values[-1].decode("latin-1") if values else None


def media_type(scope: Scope) -> str:
    """Return the media type of the body, lower case and without parameters; "" if not declared."""
    declared = header(scope, b"content-type") or ""
    return declared.partition(";")[0].strip().lower()


async def body_parts(receive: Receive) -> AsyncIterator[bytes]:
    """Yield the body as it comes.

    Raises:
        ClientLeft: it ends too soon.
    """
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


async def read_json_body(receive: Receive) -> bytes:
    """Return the whole body.

    Raises:
        BodyTooLarge: it has more than `MAX_JSON_BYTES`.
        ClientLeft: it ends too soon.
    """
    body = bytearray()
    async for part in body_parts(receive):
        body += part
        if len(body) > MAX_JSON_BYTES:
            raise BodyTooLarge(f"The body must be at most {MAX_JSON_BYTES} bytes long.")
    return bytes(body)


def parse_query(model: type[_Model], query_string: bytes) -> _Model:
    """Read a query.

    Raises:
        InvalidField: members are unknown, twice there, or break their rules; all are named.
    """
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_QUERY_MEMBERS,
        )
    except ValueError as error:
        raise InvalidField(FieldError("query", "percent-encoded UTF-8 is expected")) from error
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidField(FieldError("query", "each member is expected once"))
    return validated(model, members, strict=False)


def parse_body(model: type[_Model], declared: str, body: bytes) -> _Model:
    """Read a JSON body; one without members may be left out.

    Args:
        model: its members.
        declared: its media type.
        body: its bytes.

    Raises:
        UnsupportedMediaType: it is not declared as JSON.
        MalformedJson: it is no strict JSON object.
        InvalidField: members are missing, unknown or break their rules; all are named.
    """
    if not body and not any(field.is_required() for field in model.model_fields.values()):
        return validated(model, {}, strict=True)
    if declared != "application/json":
        raise UnsupportedMediaType("the header Content-Type: application/json is expected")
    read_object(body)
    if model is Nothing and body.strip() != b"{}":
        raise InvalidField(FieldError("body", "no members are expected"))
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _invalid(error) from error


def validated(model: type[_Model], members: Mapping[str, Any], *, strict: bool) -> _Model:
    """Return members as their model.

    Args:
        model: of the members.
        members: by name.
        strict: refuse texts that stand for numbers or instants.

    Raises:
        InvalidField: members are missing, unknown or break their rules; all are named.
    """
    try:
        return model.model_validate(members, strict=strict)
    except ValidationError as error:
        raise _invalid(error) from error


def _invalid(error: ValidationError) -> InvalidField:
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return InvalidField(
        *(
            FieldError(
                ".".join(map(str, detail["loc"])) or "body",
                detail["msg"].removeprefix("Value error, "),
            )
            for detail in details
        )
    )
