"""Strict JSON (RFC 8259 within I-JSON, RFC 7493): bytes in, typed members or one error out.

The reader of the standard library takes duplicate members, NaN, lone surrogates, integers of any
length and documents deep enough to end in RecursionError. Two programs that read such a document
may see two different things, so all of them are refused, and so is every number with a fraction:
no document of the contract has one. Unknown members are ignored: that is how it evolves.

Bytes stand in it as canonical base64url without padding (RFC 4648 section 5). The last character
of such a text has spare bits, so a signature has up to sixteen spellings, and most decoders skip
what they do not know. Here a text that is not the one spelling of its bytes is refused.
"""

import binascii
import json
from collections.abc import Iterable
from typing import Final, NoReturn, TypeAlias

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]

# The last second of the year 9999, past which `datetime` ends; every time claim is below it.
LAST_SECOND: Final = 253_402_300_799
MAX_INTEGER: Final = 2**53 - 1  # RFC 7493 section 2.2: what every reader holds exactly
MAX_DEPTH: Final = 16  # our decision: the deepest document of the contract has five levels
_TO_STANDARD: Final = str.maketrans("-_", "+/")


class MalformedError(ValueError):
    """Bytes that do not have the form of their document; it never leaves this package.

    Attributes:
        rule: slug of the broken rule; "" where only the caller can name it.
    """

    def __init__(self, message: str, *, rule: str = "") -> None:
        super().__init__(message)
        self.rule = rule


def read_object(data: bytes) -> JsonObject:
    """Return the object that `data` holds.

    Raises:
        MalformedError: not UTF-8, not strict JSON, or not an object.
    """
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_int=_bounded,
            parse_float=_refuse,
            parse_constant=_refuse,
        )
        _require_sound(value, MAX_DEPTH)
    except (ValueError, RecursionError) as error:
        raise MalformedError("not a strict JSON document", rule="json") from error
    if not isinstance(value, dict):
        raise MalformedError("not a JSON object", rule="json")
    return value


def write(value: JsonObject) -> str:
    """Return `value` as compact JSON, members in the order given."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _without_duplicates(pairs: list[tuple[str, Json]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedError("a member appears twice")
    return members


def _bounded(digits: str) -> int:
    if len(digits) > len(str(-MAX_INTEGER)) or abs(int(digits)) > MAX_INTEGER:
        raise MalformedError("an integer is out of range")
    return int(digits)


def _refuse(number: str) -> NoReturn:
    raise MalformedError(f"{number:.20} is not an integer")


def _require_sound(value: Json, depth: int) -> None:
    """Refuse lone surrogates, which no UTF-8 can carry on, and too many levels."""
    if isinstance(value, str):
        value.encode("utf-8")  # UnicodeEncodeError is a ValueError
    if isinstance(value, (dict, list)) and depth == 0:
        raise MalformedError("too many levels")
    for child in _children(value):
        _require_sound(child, depth - 1)


def _children(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return (*value, *value.values())
    return value if isinstance(value, list) else ()


def text(members: JsonObject, name: str, *, minimum: int = 1, maximum: int = 64) -> str:
    """Return the member `name`, which must be a string of so many characters."""
    value = members.get(name)
    if not isinstance(value, str) or not minimum <= len(value) <= maximum:
        raise MalformedError(f"{name}: expected a string of {minimum} to {maximum} characters")
    return value


def integer(members: JsonObject, name: str, *, minimum: int = 0, maximum: int = LAST_SECOND) -> int:
    """Return the member `name`, which must be an integer within bounds: not `true`."""
    value = members.get(name)
    if type(value) is not int or not minimum <= value <= maximum:
        raise MalformedError(f"{name}: expected an integer from {minimum} to {maximum}")
    return value


def boolean(members: JsonObject, name: str) -> bool:
    """Return the member `name`, which must be true or false."""
    value = members.get(name)
    if not isinstance(value, bool):
        raise MalformedError(f"{name}: expected true or false")
    return value


def items(members: JsonObject, name: str) -> list[Json]:
    """Return the member `name`, which must be an array."""
    value = members.get(name)
    if not isinstance(value, list):
        raise MalformedError(f"{name}: expected an array")
    return value


def texts(members: JsonObject, name: str) -> tuple[str, ...]:
    """Return the member `name`, which must be an array of strings."""
    values = items(members, name)
    found = tuple(value for value in values if isinstance(value, str))
    if len(found) != len(values):
        raise MalformedError(f"{name}: expected an array of strings")
    return found


def inner(members: JsonObject, name: str) -> JsonObject:
    """Return the member `name`, which must be an object."""
    value = members.get(name)
    if not isinstance(value, dict):
        raise MalformedError(f"{name}: expected an object")
    return value


def inners(members: JsonObject, name: str) -> list[JsonObject]:
    """Return the member `name`, which must be an array of objects."""
    values = items(members, name)
    found = [value for value in values if isinstance(value, dict)]
    if len(found) != len(values):
        raise MalformedError(f"{name}: expected an array of objects")
    return found


def to_base64url(data: bytes) -> str:
    """Return the one canonical spelling of `data`."""
    text = binascii.b2a_base64(data, newline=False).decode("ascii")
    return text.rstrip("=").replace("+", "-").replace("/", "_")


def from_base64url(text: str) -> bytes:
    """Return the bytes that `text` spells.

    Raises:
        MalformedError: `text` is not canonical base64url.
    """
    padded = text.translate(_TO_STANDARD) + "=" * (-len(text) % 4)
    try:
        data = binascii.a2b_base64(padded, strict_mode=True)
    except ValueError as error:  # binascii.Error and non-ASCII text alike
        raise MalformedError("not base64url", rule="base64url") from error
    if to_base64url(data) != text:
        raise MalformedError("not canonical base64url", rule="base64url")
    return data
