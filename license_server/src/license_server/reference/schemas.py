"""JSON Schemas in words: what a value is, and the members of an object."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Schema = Mapping[str, Any]

_BOUNDS: Final = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "above {}",
    "exclusiveMaximum": "below {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "format": "{}",
    "default": "{} if missing",
}
_CODED: Final = frozenset({"pattern", "default"})


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of what is said of a value.

    Attributes:
        text: the piece.
        schema: name of the schema that it links to; None = no link.
        is_code: it is to be read letter by letter.
    """

    text: str
    schema: str | None = None
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an object.

    Attributes:
        name: with those of the objects around it, dotted.
        is_required: it must be there.
        words: what its value is.
        description: what it means; may be empty.
    """

    name: str
    is_required: bool
    words: Sequence[Word]
    description: str


@dataclass(frozen=True, slots=True)
class NamedSchema:
    """A schema with a name of its own."""

    name: str
    description: str
    words: Sequence[Word]
    members: Sequence[Member]


def named_schema(name: str, schema: Schema) -> NamedSchema:
    """Return a schema in words."""
    return NamedSchema(
        name, schema.get("description", ""), tuple(words(schema)), tuple(members(schema))
    )


def words(schema: Schema) -> Iterator[Word]:
    """Say what a value is, without the members of an object."""
    if "$ref" in schema:
        name = name_of(schema["$ref"])
        yield Word(name, schema=name)
    elif options := schema.get("anyOf") or schema.get("oneOf"):
        yield from _joined(" or ", [words(option) for option in options])
    elif "enum" in schema:
        values = [iter([Word(json.dumps(value), is_code=True)]) for value in schema["enum"]]
        yield from _joined(" or ", values)
    elif "const" in schema:
        yield Word(json.dumps(schema["const"]), is_code=True)
    else:
        yield from _plain(schema)
    yield from _bounds(schema)


def members(schema: Schema, prefix: str = "") -> Iterator[Member]:
    """Yield the members of an object, and behind each the members of an object in it."""
    required = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        if member is False:  # JSON Schema's own word for it
            yield Member(
                path, is_required=False, words=(Word("must not be there"),), description=""
            )
            continue
        description = member.get("description", "")
        yield Member(path, name in required, tuple(words(member)), description)
        yield from members(member, f"{path}.")
        yield from members(member.get("items", {}), f"{path}[].")


def name_of(reference: str) -> str:
    """Return the name of the schema that a reference leads to or into, here or in a file beside."""
    file, _, pointer = reference.partition("#")
    return (file or pointer).rpartition("/")[2].removesuffix(".json")


def _plain(schema: Schema) -> Iterator[Word]:
    types = schema.get("type", "any value")
    yield Word(types if isinstance(types, str) else " or ".join(types))
    if "items" in schema:
        yield Word(" of ")
        yield from words(schema["items"])
    values = schema.get("additionalProperties")
    if isinstance(values, Mapping) and values:
        yield Word(" of ")
        yield from words(values)
    if "pattern" in schema:
        yield Word(" ")
        yield Word(schema["pattern"], is_code=True)


def _bounds(schema: Schema) -> Iterator[Word]:
    for name, text in _BOUNDS.items():
        if name in schema:
            value = json.dumps(schema[name]) if name in _CODED else schema[name]
            yield Word(f", {text.format(value)}")


def _joined(separator: str, parts: Sequence[Iterator[Word]]) -> Iterator[Word]:
    for number, part in enumerate(parts):
        if number:
            yield Word(separator)
        yield from part
