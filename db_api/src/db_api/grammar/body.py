"""Bodies of rows: read only as far as needed, since PostgreSQL gets the bytes as they came."""

from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from db_api.grammar.conversion import form_to_json, ndjson_to_json, read_csv, read_form
from db_api.grammar.media import BodyForm
from db_api.rest_errors import RestError

_OBJECT: Final = TypeAdapter(dict[str, object])
_OBJECTS: Final = TypeAdapter(list[dict[str, object]])
_JSON_SPACE: Final = b" \t\n\r"


@dataclass(frozen=True, slots=True)
class JsonBody:
    """One row or many.

    Attributes:
        data: as the client sent it, or made of that; whether it is JSON in UTF-8 is known only
            with `keys`.
        is_object: it is one row, without an array around it.
        keys: the members that every row has; empty when they were not asked for.
    """

    data: bytes
    is_object: bool
    keys: tuple[str, ...]


def read_body(data: bytes, form: BodyForm, *, needs_keys: bool) -> JsonBody:
    """Read a body of rows, of whatever form.

    Args:
        data: the body.
        form: what it is said to be.
        needs_keys: as for `read_json_body`.

    Raises:
        RestError: it is no row, and no rows with equal members.
    """
    if form == "csv":
        names, rows = read_csv(data)
        return JsonBody(rows, is_object=False, keys=tuple(dict.fromkeys(names)))
    if form == "form":
        pairs = read_form(data)
        return JsonBody(form_to_json(pairs), is_object=True, keys=tuple(dict(pairs)))
    if form == "ndjson":
        data = ndjson_to_json(data)
    return read_json_body(data, needs_keys=needs_keys)


def read_json_body(data: bytes, *, needs_keys: bool) -> JsonBody:
    """Read a body of rows.

    Args:
        data: the body.
        needs_keys: the request does not name the columns, so the rows' members do.

    Raises:
        RestError: it is no row and no array of rows with equal members.
    """
    is_object = data.lstrip(_JSON_SPACE)[:1] == b"{"
    if not needs_keys:
        return JsonBody(data, is_object, ())
    return JsonBody(data, is_object, _read_keys(data, is_object=is_object))


def _read_keys(data: bytes, *, is_object: bool) -> tuple[str, ...]:
    try:
        if is_object:
            return tuple(_OBJECT.validate_json(data))
        rows = _OBJECTS.validate_json(data)
    except ValidationError as error:
        if any(fault["type"] == "dict_type" for fault in error.errors(include_input=False)):
            raise unequal_keys() from None
        raise RestError("PGRST102", "Empty or invalid json") from None
    if not rows:
        return ()
    keys = rows[0].keys()
    if any(row.keys() != keys for row in rows):
        raise unequal_keys()
    return tuple(keys)


def unequal_keys() -> RestError:
    """Refuse rows of several kinds."""
    return RestError(
        "PGRST102",
        "All object keys must match",
        hint="Send rows with the same members, or name them: columns=a,b",
    )
