"""Bodies that are no JSON, made into the JSON that PostgreSQL reads; every value becomes a text."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl

from db_api.rest_errors import RestError

csv.field_size_limit(2**31 - 1)  # the size of a whole body is limited already

_NULL: Final = "NULL"
"""How PostgREST's CSV writes a null."""

Rows = list[dict[str, str | None]]


def read_csv(data: bytes, names: tuple[str, ...] | None = None) -> tuple[tuple[str, ...], bytes]:
    """Read lines of values under a line of names.

    Args:
        data: the lines.
        names: that stood above earlier lines; None = the first line has them.

    Returns:
        The names, of which some may be equal, and a JSON array of objects.

    Raises:
        RestError: it is no CSV in UTF-8, or its lines are not of equal length.
    """
    try:
        lines = list(csv.reader(io.StringIO(_decode(data), newline=""), strict=True))
    except csv.Error as error:
        raise RestError("PGRST102", f"The body is not CSV: {error}") from None
    records = [line for line in lines if line]
    if names is None:
        if not records:
            raise RestError("PGRST102", "The body is not CSV: it has no line of column names")
        names = tuple(records.pop(0))
    if any(len(record) != len(names) for record in records):
        raise RestError("PGRST102", "All lines must have same number of fields")
    rows: Rows = [
        {name: None if value == _NULL else value for name, value in zip(names, record, strict=True)}
        for record in records
    ]
    return names, _dump(rows)


def read_form(data: bytes) -> tuple[tuple[str, str], ...]:
    """Read `name=value&name=value`.

    Raises:
        RestError: it is not percent-encoded UTF-8.
    """
    try:
        return tuple(parse_qsl(_decode(data), keep_blank_values=True, errors="strict"))
    except ValueError:
        raise _not_utf8() from None


def form_to_json(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Make one JSON object of a form; the last of several values of a name counts."""
    return _dump(dict(pairs))


def ndjson_to_json(data: bytes) -> bytes:
    """Make one JSON array of a JSON value a line."""
    return b"[" + b",".join(filter(None, map(bytes.strip, data.split(b"\n")))) + b"]"


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise _not_utf8() from None


def _not_utf8() -> RestError:
    return RestError("PGRST102", "The body is not text in UTF-8")


def _dump(value: Rows | dict[str, str]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
