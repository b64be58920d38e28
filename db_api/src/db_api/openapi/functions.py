"""Describe the functions that may be called; those of one name share a path."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from db_api.catalog import Function
from db_api.openapi.grammar import Json
from db_api.openapi.types import column_schema, type_schema

_REFUSED: Final = {"default": {"$ref": "#/components/responses/Refused"}}


def function_paths(
    functions: Mapping[str, Sequence[Function]], enums: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, Json]]:
    """Describe the path of each name.

    Args:
        functions: by name, those that may be called.
        enums: the labels of each enumerated type, by its SQL name.
    """
    for number, (name, overloads) in enumerate(functions.items()):
        yield f"/rpc/{quote(name, safe='')}", _path(number, name, overloads, enums)


def _path(
    number: int,
    name: str,
    overloads: Sequence[Function],
    enums: Mapping[str, tuple[str, ...]],
) -> Json:
    responses = _responses(overloads, enums)
    about = {"tags": ["functions"], "summary": f"Call {name}", "responses": responses}
    path: Json = {
        "post": {
            **about,
            "operationId": f"post.function-{number}",
            "requestBody": _body(overloads, enums),
        }
    }
    steady = [function for function in overloads if not function.is_volatile]
    if steady:
        path["get"] = {
            **about,
            "operationId": f"get.function-{number}",
            "parameters": list(_arguments(steady)),
        }
    return path


def _arguments(overloads: Sequence[Function]) -> Iterator[Json]:
    """Describe arguments in a query string; one is required if no function does without it."""
    named = {
        parameter.name: parameter.type
        for function in overloads
        for parameter in function.parameters
        if parameter.name
    }
    for name, type_ in named.items():
        yield {
            "name": name,
            "in": "query",
            "description": type_,
            "required": all(_requires(function, name) for function in overloads),
            "schema": {"type": "string"},
        }


def _requires(function: Function, name: str) -> bool:
    return any(each.name == name and each.is_required for each in function.parameters)


def _body(overloads: Sequence[Function], enums: Mapping[str, tuple[str, ...]]) -> Json:
    described = [_argument_object(function, enums) for function in overloads]
    schema = described[0] if len(described) == 1 else {"anyOf": described}
    is_required = all(
        any(parameter.is_required for parameter in function.parameters) for function in overloads
    )
    return {"required": is_required, "content": {"application/json": {"schema": schema}}}


def _argument_object(function: Function, enums: Mapping[str, tuple[str, ...]]) -> Json:
    if any(not parameter.name for parameter in function.parameters):
        return {}  # the body as a whole is its argument
    required = [each.name for each in function.parameters if each.is_required]
    schema: Json = {
        "type": "object",
        "properties": {
            each.name: {**type_schema(each.type, enums), "x-postgresql-type": each.type}
            for each in function.parameters
        },
    }
    return {**schema, "required": required} if required else schema


def _responses(overloads: Sequence[Function], enums: Mapping[str, tuple[str, ...]]) -> Json:
    if all(function.is_void for function in overloads):
        return {"204": {"description": "Done; nothing is returned."}, **_REFUSED}
    results = [_result(function, enums) for function in overloads]
    schema = results[0] if len(results) == 1 else {"anyOf": results}
    content = {"application/json": {"schema": schema}}
    return {"200": {"description": "What it returns.", "content": content}, **_REFUSED}


def _result(function: Function, enums: Mapping[str, tuple[str, ...]]) -> Json:
    if function.rows is None:
        result: Json = {}
    else:
        columns = function.rows.columns.values()
        properties = {column.name: column_schema(column, enums) for column in columns}
        result = {"type": "object", "properties": properties}
    return {"type": "array", "items": result} if function.is_set else result
