"""The admin API as an OpenAPI 3.1 document, made from the table of its endpoints."""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from license_server._version import __version__
from license_server.api.endpoints import (
    READERS,
    AnyEndpoint,
    Endpoint,
    Nothing,
    StreamCall,
    Streamed,
    StreamEndpoint,
)
from license_server.problems import KINDS

Schema = dict[str, Any]

_JSON: Final = "application/json"
_TYPES: Final = {_JSON: "object"}
"""Of what is streamed; all else is lines."""
_REFERENCE: Final = "#/components/schemas/{model}"
_PROBLEM: Final[Schema] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "enum": sorted(KINDS)},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_PATH_VALUE: Final[Schema] = {
    "type": "string",
    "pattern": r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}(?!\n)$",
}
_ETAG: Final[Schema] = {"description": "Version of what is answered", "schema": {"type": "string"}}
_STATUSES: Final = sorted({kind.status for kind in KINDS.values()})


def described(endpoints: Sequence[AnyEndpoint]) -> tuple[AnyEndpoint, ...]:
    """Return `endpoints` and the one that answers their document."""

    async def answer(_call: StreamCall[Nothing]) -> Streamed:
        return Streamed(_JSON, _parts())

    async def _parts() -> AsyncIterator[bytes]:
        yield json.dumps(document(whole)).encode()

    whole: tuple[AnyEndpoint, ...] = (
        *endpoints,
        StreamEndpoint(
            "GET", "/v1/admin/openapi.json", "document.get", "Show this document", READERS,
            Nothing, (), (_JSON,), answer,
        ),
    )  # fmt: skip
    return whole


def document(endpoints: Sequence[AnyEndpoint]) -> Schema:
    """Return the document of `endpoints`."""
    references, definitions = _schemas(endpoints)
    paths: dict[str, Schema] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, references)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "License server: admin API", "version": __version__},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "Admin token lsk_…"}
            },
            "schemas": {**definitions, "Problem": _PROBLEM},
            "responses": {str(status): _problem_answer(status) for status in _STATUSES},
        },
    }


_Key = tuple[type[BaseModel], JsonSchemaMode]


def _schemas(endpoints: Sequence[AnyEndpoint]) -> tuple[Mapping[_Key, Schema], Schema]:
    models = list(dict.fromkeys(_models(endpoints)))
    found, definitions = models_json_schema(models, ref_template=_REFERENCE)
    references = {key: found[key] for key in models}
    return references, definitions.get("$defs", {})


def _models(endpoints: Sequence[AnyEndpoint]) -> Iterator[_Key]:
    for endpoint in endpoints:
        if isinstance(endpoint, StreamEndpoint):
            continue
        if endpoint.body is not Nothing:
            yield endpoint.body, "validation"
        if endpoint.answer is not None:
            yield endpoint.answer, "serialization"


def _operation(endpoint: AnyEndpoint, references: Mapping[_Key, Schema]) -> Schema:
    operation: Schema = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "description": f"For the roles {', '.join(sorted(endpoint.roles))}.",
        "tags": [endpoint.name.partition(".")[0]],
        "parameters": [*_in_path(endpoint), *_in_query(endpoint), *_in_headers(endpoint)],
        "responses": {
            **_answers(endpoint, references),
            **{code: {"$ref": f"#/components/responses/{code}"} for code in _problems(endpoint)},
        },
    }
    content = _body(endpoint, references)
    if content:
        operation["requestBody"] = {"required": _needs_body(endpoint), "content": content}
    return operation


def _problems(endpoint: AnyEndpoint) -> Iterator[str]:
    """Yield the statuses of what may go wrong."""
    needs = {
        HTTPStatus.CONFLICT: endpoint.method != "GET",
        HTTPStatus.PRECONDITION_FAILED: endpoint.method == "PATCH",
        HTTPStatus.UNPROCESSABLE_ENTITY: _takes_key(endpoint),
    }
    yield from (str(status) for status in _STATUSES if needs.get(HTTPStatus(status), True))


def _takes_key(endpoint: AnyEndpoint) -> bool:
    return isinstance(endpoint, Endpoint) and "license_key" in endpoint.body.model_fields


def _in_path(endpoint: AnyEndpoint) -> Iterator[Schema]:
    for name in re.findall(r"\{(\w+)\}", endpoint.path):
        yield {"name": name, "in": "path", "required": True, "schema": _PATH_VALUE}


def _in_query(endpoint: AnyEndpoint) -> Iterator[Schema]:
    schema = endpoint.query.model_json_schema(ref_template=_REFERENCE)
    definitions = schema.get("$defs", {})
    for name, member in schema.get("properties", {}).items():
        yield {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": _parameter(member, definitions),
        }


def _parameter(member: Schema, definitions: Schema) -> Schema:
    """Return the schema of a query's member: whole in itself, and without null."""
    options = [one for one in member.get("anyOf", ()) if one.get("type") != "null"]
    flat = {key: value for key, value in member.items() if key not in {"anyOf", "title"}}
    if options:
        flat |= options[0]
    if flat.get("default", "") is None:
        del flat["default"]
    reference = flat.pop("$ref", None)
    return flat if reference is None else flat | definitions[reference.rpartition("/")[2]]


def _in_headers(endpoint: AnyEndpoint) -> Iterator[Schema]:
    if endpoint.method == "POST":
        key = {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"}
        yield {"name": "Idempotency-Key", "in": "header", "required": False, "schema": key}
    if endpoint.method == "PATCH":
        yield {"name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"}}


def _body(endpoint: AnyEndpoint, references: Mapping[_Key, Schema]) -> Schema:
    if isinstance(endpoint, StreamEndpoint):
        return {kind: {"schema": {"type": "string"}} for kind in endpoint.takes}
    if endpoint.body is Nothing:
        return {}
    return {"application/json": {"schema": references[endpoint.body, "validation"]}}


def _needs_body(endpoint: AnyEndpoint) -> bool:
    if isinstance(endpoint, StreamEndpoint):
        return True
    return any(field.is_required() for field in endpoint.body.model_fields.values())


def _answers(endpoint: AnyEndpoint, references: Mapping[_Key, Schema]) -> Schema:
    if isinstance(endpoint, StreamEndpoint):
        content = {
            kind: {"schema": {"type": _TYPES.get(kind, "string")}} for kind in endpoint.gives
        }
        return {"200": {"description": "OK", "content": content}}
    return {str(endpoint.status.value): _answer(endpoint, references)}


def _answer(endpoint: Endpoint[Any, Any], references: Mapping[_Key, Schema]) -> Schema:
    answer: Schema = {"description": endpoint.status.phrase}
    if endpoint.answer is None:
        return answer
    schema = references[endpoint.answer, "serialization"]
    answer["content"] = {"application/json": {"schema": schema}}
    if "version" in endpoint.answer.model_fields:
        answer["headers"] = {"ETag": _ETAG}
    return answer


def _problem_answer(status: int) -> Schema:
    codes = sorted(code for code, kind in KINDS.items() if kind.status == status)
    schema = {"$ref": _REFERENCE.format(model="Problem")}
    content = {"application/problem+json": {"schema": schema}}
    return {"description": " or ".join(codes), "content": content}
