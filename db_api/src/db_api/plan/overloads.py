"""Which function a call means: among those of its name, the one that takes its arguments.

The rules are PostgREST's (docs, "Functions as RPC"): names decide, types do not; a body that is
one value goes to a function whose only parameter has no name.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from db_api.catalog import Function, SchemaCache
from db_api.grammar.arguments import Arguments
from db_api.rest_errors import RestError

_SIMILARITY: Final = 0.5

_RAW_TYPES: Final = MappingProxyType(
    {"json": ("json", "jsonb"), "text": ("text",), "xml": ("xml",), "binary": ("bytea",)}
)
"""The types of the parameter that takes a whole body, by the body's form."""


def find_function(snapshot: SchemaCache, schema: str, name: str, arguments: Arguments) -> Function:
    """Find the one function that a call means.

    Raises:
        RestError: there is none, or there are several.
    """
    known = snapshot.overloads(schema, name)
    is_value = arguments.raw is not None and arguments.raw[1] != "json"
    found = [one for one in known if one.accepts(arguments.names) and not is_value]
    found = found or [one for one in known if takes_value(one, arguments)]
    if not found:
        raise _unknown(snapshot, schema, name, arguments)
    if len(found) > 1:
        raise _ambiguous(found)
    return found[0]


def takes_value(function: Function, arguments: Arguments) -> bool:
    """Tell whether the whole body is the function's only argument."""
    if arguments.raw is None or len(function.parameters) != 1:
        return False
    (parameter,) = function.parameters
    return not parameter.name and parameter.type in _RAW_TYPES[arguments.raw[1]]


def _ambiguous(found: Sequence[Function]) -> RestError:
    signatures = ", ".join(function.signature for function in found)
    return RestError(
        "PGRST203",
        f"Could not choose the best candidate function between: {signatures}",
        hint="Try renaming the parameters or the function itself in the database so function"
        " overloading can be resolved",
    )


def _unknown(snapshot: SchemaCache, schema: str, name: str, arguments: Arguments) -> RestError:
    names = sorted(arguments.names)
    called, searched = f"({', '.join(names)})", f" with parameters {', '.join(names)}"
    if not names:
        called = searched = " without parameters"
    elif len(names) == 1:
        searched = f" with parameter {names[0]}"
    form = arguments.raw[1] if arguments.raw else None
    if form == "json":
        searched += " or with a single unnamed json/jsonb parameter"
    elif form is not None:
        called, searched = "", f" with a single unnamed {_RAW_TYPES[form][0]} parameter"
    return RestError(
        "PGRST202",
        f"Could not find the function {schema}.{name}{called} in the schema cache",
        details=f"Searched for the function {schema}.{name}{searched},"
        " but no matches were found in the schema cache.",
        hint=_suggestion(snapshot, schema, name, f"({', '.join(names)})"),
    )


def _suggestion(snapshot: SchemaCache, schema: str, name: str, called: str) -> str | None:
    known = snapshot.overloads(schema, name)
    if known:
        lists = [f"({', '.join(each.name for each in one.parameters)})" for one in known]
        meant = [f"{name}{close}" for close in get_close_matches(called, lists, 1, _SIMILARITY)]
    else:
        meant = get_close_matches(name, snapshot.functions.get(schema, {}), 1, _SIMILARITY)
    return f"Perhaps you meant to call the function {schema}.{meant[0]}" if meant else None
