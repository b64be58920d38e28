"""`Accept` and `Content-Type`: which form an answer takes, and which bodies are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal

from db_api.rest_errors import RestError

_JSON: Final = frozenset(
    {"*/*", "application/*", "application/json", "application/vnd.pgrst.array+json"}
)
_ARRAY: Final = frozenset({"application/vnd.pgrst.array", "application/vnd.pgrst.array+json"})
_OBJECT: Final = frozenset({"application/vnd.pgrst.object", "application/vnd.pgrst.object+json"})
_STRIPPED: Final = "nulls=stripped"

RawForm = Literal["text", "xml", "binary"]
"""Forms of a body that is one value: the only argument of a function."""

LineForm = Literal["csv", "ndjson"]
BodyForm = Literal["json", "form", LineForm, RawForm]
_BODY_FORMS: Final[Mapping[str, BodyForm]] = MappingProxyType(
    {
        "application/json": "json",
        "application/x-ndjson": "ndjson",
        "application/x-www-form-urlencoded": "form",
        "text/csv": "csv",
    }
)


@dataclass(frozen=True, slots=True)
class Representation:
    """The form of an answer.

    Attributes:
        content_type: as the answer names it.
        is_object: exactly one row, without the array around it.
        strips_nulls: members that are null are left out.
        form: JSON, or lines of text.
    """

    content_type: str
    is_object: bool
    strips_nulls: bool
    form: Literal["json", "csv", "ndjson"] = "json"


JSON_ARRAY: Final = Representation(
    "application/json; charset=utf-8", is_object=False, strips_nulls=False
)

_LINES: Final = MappingProxyType(
    {
        "text/csv": Representation(
            "text/csv; charset=utf-8", is_object=False, strips_nulls=False, form="csv"
        ),
        "application/x-ndjson": Representation(
            "application/x-ndjson; charset=utf-8",
            is_object=False,
            strips_nulls=False,
            form="ndjson",
        ),
    }
)


@lru_cache(maxsize=256)
def read_accept(header: str) -> Representation:
    """Choose the form that the client likes best among those served.

    Raises:
        RestError: none of them is served.
    """
    wanted = sorted(filter(None, map(_read_range, header.split(","))), key=_by_weight)
    for media_type, parameters, _ in wanted:
        found = _representation(media_type, parameters)
        if found:
            return found
    names = ", ".join(name for name, _, _ in wanted)
    raise RestError("PGRST107", f"None of these media types are available: {names}")


_Range = tuple[str, frozenset[str], float]


def _read_range(text: str) -> _Range | None:
    """Split `type;parameter;q=0.5` into its type, parameters and weight."""
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    weight = 1.0
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                weight = float(parameter[2:])
            except ValueError:
                weight = 0.0
    return (name, frozenset(parameters), weight) if name and weight > 0 else None


def _by_weight(wanted: _Range) -> float:
    return -wanted[2]


def _representation(media_type: str, parameters: frozenset[str]) -> Representation | None:
    strips_nulls = _STRIPPED in parameters
    suffix = f";{_STRIPPED}" if strips_nulls else ""
    if media_type in _OBJECT:
        content_type = f"application/vnd.pgrst.object+json{suffix}; charset=utf-8"
        return Representation(content_type, is_object=True, strips_nulls=strips_nulls)
    if media_type in _ARRAY and strips_nulls:
        content_type = f"application/vnd.pgrst.array+json{suffix}; charset=utf-8"
        return Representation(content_type, is_object=False, strips_nulls=True)
    if media_type in _LINES:
        return _LINES[media_type]
    return JSON_ARRAY if media_type in _JSON or media_type in _ARRAY else None


_RAW_FORMS: Final[Mapping[str, RawForm]] = MappingProxyType(
    {"text/plain": "text", "text/xml": "xml", "application/octet-stream": "binary"}
)


def read_content_type(header: str | None, *, takes_raw: bool = False) -> BodyForm:
    """Tell the form of a body; one without a type is taken as JSON.

    Args:
        header: `Content-Type`.
        takes_raw: the body may be one value.

    Raises:
        RestError: it is of a form that is not read.
    """
    name = "application/json" if header is None else header.split(";")[0].strip().lower()
    form = _BODY_FORMS.get(name) or (_RAW_FORMS.get(name) if takes_raw else None)
    if form is None:
        raise RestError("PGRST102", f"Content-Type not acceptable: {name}")
    return form
