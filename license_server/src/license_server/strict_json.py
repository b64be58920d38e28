"""JSON that all readers read alike; see "Writing and reading" in `wire/README.md`.

The standard library's reader does the work, because it alone shows members that are there twice;
what else it tolerates is refused here: fractions, NaN, great integers, lone surrogates, depth.
"""

import json
from collections.abc import Mapping
from typing import Final, NoReturn

from license_server.errors import MalformedJson

MAX_DEPTH: Final = 16
"""Levels of arrays and objects."""

MAX_INTEGER: Final = 2**53 - 1
"""Greatest integer that every JSON reader keeps exactly (RFC 8259, section 6)."""


def read_object(body: bytes) -> dict[str, object]:
    """Read one JSON object in UTF-8.

    Raises:
        MalformedJson: it is not one, or two readers might differ about it.
    """
    try:
        document = _DECODER.decode(body.decode("utf-8"))
        _require_whole_characters(body, document)
        _require_flat(body, document)
    except (ValueError, RecursionError) as error:
        raise MalformedJson(
            "JSON in UTF-8 is expected, each member once, integers as the only numbers"
        ) from error
    if not isinstance(document, dict):
        raise MalformedJson("a JSON object is expected")
    return document


def _unique_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is there twice")
    return members


def _integer(digits: str) -> int:
    number = int(digits)
    if abs(number) > MAX_INTEGER:
        raise ValueError("an integer is too great")
    return number


def _refuse(_text: str) -> NoReturn:
    raise ValueError("a number is no integer")


def _require_whole_characters(body: bytes, document: object) -> None:
    """Refuse half a surrogate pair, which only an escape can write."""
    if b"\\u" in body:
        json.dumps(document, ensure_ascii=False).encode("utf-8")


def _require_flat(body: bytes, document: object) -> None:
    """Refuse deep nesting; a body with few brackets need not be walked through."""
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _depth(document) > MAX_DEPTH:
        raise ValueError("it is nested too deep")


def _depth(document: object) -> int:
    if isinstance(document, dict):
        return 1 + max(map(_depth, document.values()), default=0)
    if isinstance(document, list):
        return 1 + max(map(_depth, document), default=0)
    return 0


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique_members,
    parse_int=_integer,
    parse_float=_refuse,
    parse_constant=_refuse,
)


def compact_json(members: Mapping[str, object]) -> str:
    """Return the one spelling of `members` that is sent and signed: compact, ASCII."""
    return json.dumps(members, separators=(",", ":"), allow_nan=False)
