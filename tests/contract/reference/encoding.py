"""Bytes and text: base64url in its one spelling, JSON written compactly and read strictly."""

import base64
import json
import re
from dataclasses import dataclass

from reference.flaw import FlawError, require

MAX_DEPTH = 16
MAX_INTEGER = 2**53 - 1
MAX_TIME = 253_402_300_799  # 9999-12-31T23:59:59Z, the last second that calendars can show

JsonObject = dict[str, object]


def b64url(raw: bytes) -> str:
    """Encode without padding (RFC 4648 section 5)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_b64url(text: str) -> bytes:
    """Decode the canonical spelling and no other."""
    require(re.fullmatch(r"[A-Za-z0-9_-]*", text) and len(text) % 4 != 1, "base64url")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    require(b64url(raw) == text, "base64url")
    return raw


def compact(value: object) -> str:
    """Write JSON without white space, members in the order given."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def read_object(raw: bytes) -> JsonObject:
    """Read one JSON object as strictly as the contract asks; the flaw is always `json`."""
    try:
        value = json.loads(
            raw.decode(),
            object_pairs_hook=_unique,
            parse_float=_refuse,
            parse_constant=_refuse,
            parse_int=_bounded,
        )
    except (ValueError, RecursionError) as error:
        raise FlawError("json") from error
    require(isinstance(value, dict), "json")
    _walk(value, 1)
    return dict(value)


def _unique(pairs: list[tuple[str, object]]) -> JsonObject:
    members = dict(pairs)
    require(len(members) == len(pairs), "json")
    return members


def _refuse(_: str) -> object:
    raise FlawError("json")


def _bounded(digits: str) -> int:
    require(len(digits) <= len(str(-MAX_INTEGER)) and abs(int(digits)) <= MAX_INTEGER, "json")
    return int(digits)


def _walk(value: object, depth: int) -> None:
    if isinstance(value, str):
        require(not re.search("[\ud800-\udfff]", value), "json")
    if isinstance(value, (dict, list)):
        require(depth <= MAX_DEPTH, "json")
        for child in [*value, *value.values()] if isinstance(value, dict) else value:
            _walk(child, depth + 1)


@dataclass(frozen=True)
class Members:
    """The members of an object, taken by name and kind; the flaw is the slug given."""

    value: JsonObject
    slug: str

    def integer(self, name: str, low: int = 0, high: int = MAX_TIME) -> int:
        """Take an integer within bounds; `true` is none."""
        value = self.value.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise FlawError(self.slug)

    def boolean(self, name: str) -> bool:
        """Take `true` or `false`."""
        value = self.value.get(name)
        if isinstance(value, bool):
            return value
        raise FlawError(self.slug)

    def text(self, name: str, low: int = 1, high: int = 64) -> str:
        """Take a string of `low` to `high` characters."""
        value = self.value.get(name)
        if isinstance(value, str) and low <= len(value) <= high:
            return value
        raise FlawError(self.slug)

    def texts(self, name: str) -> list[str]:
        """Take an array of strings."""
        value = self.value.get(name)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return value
        raise FlawError(self.slug)

    def inner(self, name: str) -> "Members":
        """Take an object."""
        value = self.value.get(name)
        if isinstance(value, dict):
            return Members(value, self.slug)
        raise FlawError(self.slug)

    def inners(self, name: str) -> "list[Members]":
        """Take an array of objects."""
        value = self.value.get(name)
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            return [Members(item, self.slug) for item in value]
        raise FlawError(self.slug)
