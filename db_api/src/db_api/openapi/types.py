"""From a PostgreSQL type to the JSON Schema of its values, as PostgreSQL writes them in JSON."""

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from db_api.catalog import Column

Schema = dict[str, Any]

_NUMBERS: Final[Mapping[str, Schema]] = MappingProxyType(
    {
        "smallint": {"type": "integer", "minimum": -(2**15), "maximum": 2**15 - 1},
        "integer": {"type": "integer", "format": "int32"},
        "bigint": {"type": "integer", "format": "int64"},
        "oid": {"type": "integer", "format": "int64"},
        "real": {"type": "number", "format": "float"},
        "double precision": {"type": "number", "format": "double"},
        "numeric": {"type": "number"},
        "boolean": {"type": "boolean"},
    }
)
_FORMATS: Final = MappingProxyType(
    {
        "uuid": "uuid",
        "date": "date",
        "timestamp with time zone": "date-time",
        "time with time zone": "time",
    }
)
"""Types whose texts are of a format that JSON Schema knows (2020-12 validation, 7.3)."""

_ANYTHING: Final = frozenset({"json", "jsonb"})
_LENGTH: Final = re.compile(r"character(?: varying)?\(([0-9]+)\)")
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_TEXT: Final = re.compile(r"'((?:[^']|'')*)'(?:::[a-z ]+(?:\([0-9]+\))?)?")


def column_schema(column: Column, enums: Mapping[str, tuple[str, ...]]) -> Schema:
    """Describe the values of a column.

    Args:
        column: of a table or view.
        enums: the labels of each enumerated type, by its SQL name.
    """
    schema = {**type_schema(column.type, enums), "x-postgresql-type": column.declared_type}
    length = _LENGTH.fullmatch(column.declared_type)
    if length and schema.get("type") == "string":
        schema["maxLength"] = int(length[1])
    if column.nullable:
        _admit_null(schema)
    if column.comment:
        schema["description"] = column.comment
    if column.is_generated:
        schema["readOnly"] = True
    if column.default is not None:
        _add_default(schema, column.default)
    return schema


def type_schema(type_: str, enums: Mapping[str, tuple[str, ...]]) -> Schema:
    """Describe the values of a type; arguments as in `column_schema`."""
    if type_.endswith("[]"):
        return {"type": "array", "items": _nullable(type_schema(type_.removesuffix("[]"), enums))}
    if type_ in _ANYTHING:
        return {}
    if type_ in _NUMBERS:
        return dict(_NUMBERS[type_])
    if type_ in enums:
        return {"type": "string", "enum": list(enums[type_])}
    if type_ in _FORMATS:
        return {"type": "string", "format": _FORMATS[type_]}
    return {"type": "string"}


def _nullable(schema: Schema) -> Schema:
    _admit_null(schema)
    return schema


def _admit_null(schema: Schema) -> None:
    if "type" in schema:
        schema["type"] = [schema["type"], "null"]
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]


def _add_default(schema: Schema, expression: str) -> None:
    """Name a default: a constant as its value, what PostgreSQL computes as its expression."""
    text = _TEXT.fullmatch(expression)
    if expression in {"true", "false"} or _NUMBER.fullmatch(expression):
        schema["default"] = json.loads(expression)
    elif text and "string" in schema.get("type", ()):
        schema["default"] = text[1].replace("''", "'")
    else:
        schema["x-postgresql-default"] = expression
