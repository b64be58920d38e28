"""The arguments of a function, from the query string or the body."""

import json
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from db_api.grammar.body import read_body, read_json_body
from db_api.grammar.conversion import read_form
from db_api.grammar.media import RawForm
from db_api.grammar.request import Request
from db_api.rest_errors import RestError

_ANY: Final = TypeAdapter(object)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a function is called with.

    Attributes:
        names: of the arguments.
        pairs: names and texts, where they were given so; else they are members of `data`.
        data: a JSON object, or an array whose first object counts.
        is_object: it is an object.
        raw: the whole body as one value, and its form; None when it cannot be one.
    """

    names: frozenset[str]
    pairs: tuple[tuple[str, str], ...] | None
    data: bytes
    is_object: bool
    raw: tuple[bytes, RawForm | str] | None

    def as_json(self, variadic: Collection[str]) -> bytes:
        """Return a JSON object of them; of a name given twice the last value counts.

        Args:
            variadic: of these all values count.
        """
        if self.pairs is None:
            return self.data
        given: dict[str, str | list[str]] = dict(self.pairs)
        several: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in self.pairs:
            several[name].append(value)
        given |= {name: several[name] for name in variadic if name in several}
        return json.dumps(given, ensure_ascii=False).encode()


def read_arguments(request: Request, data: bytes) -> Arguments:
    """Read the arguments of a call.

    Args:
        request: the call.
        data: its body.

    Raises:
        RestError: the body is not what it is said to be.
    """
    form = request.body_form
    if request.method != "POST":
        return _of_pairs(request.query.arguments)
    if form in {"text", "xml", "binary"}:
        return Arguments(frozenset(), None, b"{}", is_object=True, raw=(data, form))
    if form == "form":
        return _of_pairs(read_form(data))
    if form == "json":
        return _of_json(request, data or b"{}")
    body = read_body(data, form, needs_keys=request.query.columns is None)
    names = frozenset(request.query.columns or body.keys)
    return Arguments(names, None, body.data, body.is_object, raw=None)


def _of_pairs(pairs: tuple[tuple[str, str], ...]) -> Arguments:
    names = frozenset(name for name, _ in pairs)
    return Arguments(names, pairs, b"", is_object=True, raw=None)


def _of_json(request: Request, data: bytes) -> Arguments:
    columns = request.query.columns
    if columns is not None:
        is_object = data.lstrip()[:1] == b"{"
        return Arguments(frozenset(columns), None, data, is_object, raw=(data, "json"))
    if data.lstrip()[:1] != b"{" and not _has_rows(data):
        return Arguments(frozenset(), None, b"{}", is_object=True, raw=(data, "json"))
    body = read_json_body(data, needs_keys=True)
    return Arguments(frozenset(body.keys), None, data, body.is_object, raw=(data, "json"))


def _has_rows(data: bytes) -> bool:
    """Tell whether a JSON value is an array of objects."""
    try:
        value = _ANY.validate_json(data)
    except ValidationError:
        raise RestError("PGRST102", "Empty or invalid json") from None
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)
