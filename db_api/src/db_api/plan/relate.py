"""Which relationship an embedded resource means.

The rules are PostgREST's (docs, "Resource Embedding"): a target is a table or view, or, seen
from the table in front of it, a foreign key or the one column of such a key; a hint is a foreign
key, the one column of it on either side, or a junction.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from db_api.catalog import Junction, Relationship, SchemaCache, Table
from db_api.identifiers import MAX_NAME_BYTES
from db_api.rest_errors import RestError

_SIMILARITY: Final = 0.6


def find_relationship(
    snapshot: SchemaCache, table: Table, target: str, hint: str | None
) -> Relationship:
    """Find the one relationship from a table that a target and its hint mean.

    Raises:
        RestError: there is none, or there are several.
    """
    known = snapshot.relationships.between(table, target)
    if hint is None:
        found = [one for one in known if _is_meant(one, target)]
    else:
        found = [one for one in known if _is_hinted(one, target, hint)]
    if not found:
        raise _unrelated(table, target, hint, snapshot.relationships.targets(table))
    if len(found) > 1:
        raise _ambiguous(table, target, found)
    return found[0]


def _is_meant(one: Relationship, target: str) -> bool:
    names_target = target == one.target.name
    if one.is_self:
        return (names_target and one.cardinality == "one-to-many") or (
            one.cardinality == "many-to-one" and target == _column_here(one)
        )
    return names_target or (
        target in {one.constraint, _column_here(one)} and not one.target.is_view
    )


def _is_hinted(one: Relationship, target: str, hint: str) -> bool:
    if target != one.target.name:
        return False
    if one.is_self:
        return one.cardinality == "one-to-many" and hint == _column_there(one)
    if one.junction is not None:
        return hint == one.junction.table.name
    return hint in {one.constraint, _column_here(one), _column_there(one)}


def _column_here(one: Relationship) -> str | None:
    return one.columns[0][0] if len(one.columns) == 1 else None


def _column_there(one: Relationship) -> str | None:
    return one.columns[0][1] if len(one.columns) == 1 else None


def _unrelated(table: Table, target: str, hint: str | None, names: set[str]) -> RestError:
    by_hint = f" using the hint '{hint}'" if hint is not None else ""
    return RestError(
        "PGRST200",
        f"Could not find a relationship between '{table.name}' and '{target}' in the schema cache",
        details=f"Searched for a foreign key relationship between '{table.name}' and '{target}'"
        f"{by_hint} in the schema '{table.schema}', but no matches were found.",
        hint=_suggestion(target, names),
    )


def _suggestion(target: str, names: set[str]) -> str | None:
    if target in names or len(target) > MAX_NAME_BYTES:
        return None
    close = get_close_matches(target, sorted(names), n=1, cutoff=_SIMILARITY)
    return f"Perhaps you meant '{close[0]}' instead of '{target}'." if close else None


def _ambiguous(table: Table, target: str, found: Sequence[Relationship]) -> RestError:
    choices = ", ".join(f"'{one.target.name}!{_name(one)}'" for one in found)
    return RestError(
        "PGRST201",
        "Could not embed because more than one relationship was found for"
        f" '{table.name}' and '{target}'",
        details=[_describe(one) for one in found],
        hint=f"Try changing '{target}' to one of the following: {choices}."
        " Find the desired relationship in the 'details' key.",
    )


def _name(one: Relationship) -> str:
    return one.junction.table.name if one.junction else one.constraint


def _describe(one: Relationship) -> dict[str, str]:
    return {
        "cardinality": one.cardinality,
        "embedding": f"{one.source} with {one.target.name}",
        "relationship": _by_key(one) if one.junction is None else _through(one.junction),
    }


def _by_key(one: Relationship) -> str:
    here = ", ".join(column for column, _ in one.columns)
    there = ", ".join(column for _, column in one.columns)
    return f"{one.constraint} using {one.source}({here}) and {one.target.name}({there})"


def _through(junction: Junction) -> str:
    sides = (junction.source_columns, junction.target_columns)
    parts = [
        f"{constraint}({', '.join(column for _, column in pairs)})"
        for constraint, pairs in zip(junction.constraints, sides, strict=True)
    ]
    return f"{junction.table.name} using {' and '.join(parts)}"
