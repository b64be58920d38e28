"""Functions that can be called: what they take, and what they return."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from db_api.catalog.model import Column, Table
from db_api.identifiers import SqlName, qualify, quote

FUNCTIONS: Final = """
SELECT n.nspname AS schema, p.proname AS name, p.provolatile = 'v' AS is_volatile,
       p.proretset AS is_set, p.prorettype = 'void'::regtype AS is_void,
       result.typrelid AS result_oid, format_type(p.prorettype, -1) AS result_type,
       p.pronargdefaults AS defaults, result_class.relkind = 'c' AS is_free_type,
       (SELECT json_agg(json_build_object(
                   'name', coalesce(p.proargnames[a.position], ''),
                   'type', format_type(a.type, -1),
                   'mode', coalesce(p.proargmodes[a.position], 'i')) ORDER BY a.position)
        FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]))
             WITH ORDINALITY AS a(type, position))::text AS parameters,
       CASE WHEN result_class.relkind = 'c' THEN
           (SELECT json_agg(json_build_object('name', attname, 'type', format_type(atttypid, -1),
                                              'mode', 'o') ORDER BY attnum)
            FROM pg_attribute
            WHERE attrelid = result.typrelid AND attnum > 0 AND NOT attisdropped)::text
       END AS attributes
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_type result ON result.oid = p.prorettype
LEFT JOIN pg_class result_class ON result_class.oid = result.typrelid
WHERE p.prokind = 'f' AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname, p.proname
"""
"""A row a function; its parameters and the columns of a free-standing row type are JSON."""

_INPUT: Final = frozenset("ibv")  # IN, INOUT, VARIADIC
_OUTPUT: Final = frozenset("obt")  # OUT, INOUT, TABLE


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter that a call may give a value to.

    Attributes:
        name: empty for one that has none.
        type: in SQL, an array's for a variadic one.
        is_required: it has no default.
    """

    name: str
    type: str
    is_required: bool
    is_variadic: bool

    @property
    def sql_name(self) -> SqlName:
        """Its quoted name."""
        return quote(self.name)


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function.

    Attributes:
        rows: what it returns has these columns; None for a value without any.
        is_set: it returns any number of them.
        is_void: it returns nothing.
        is_volatile: it may write.
    """

    schema: str
    name: str
    sql_name: SqlName
    parameters: tuple[Parameter, ...]
    rows: Table | None
    is_set: bool
    is_void: bool
    is_volatile: bool

    @property
    def signature(self) -> str:
        """Write its name and parameters, for people."""
        parameters = ", ".join(f"{each.name} => {each.type}" for each in self.parameters)
        return f"{self.schema}.{self.name}({parameters})"

    def accepts(self, names: frozenset[str]) -> bool:
        """Tell whether it can be called with arguments of exactly these names."""
        known = {parameter.name for parameter in self.parameters}
        required = {parameter.name for parameter in self.parameters if parameter.is_required}
        return required <= names <= known and (bool(names) or "" not in required)


Functions = Mapping[str, Mapping[str, tuple[Function, ...]]]
"""Functions by schema and name; of one name those with the fewest parameters first."""


def make_functions(rows: Iterable[Any], table_of: Callable[[int], Table | None]) -> Functions:
    """Make the functions of the rows of `FUNCTIONS`.

    Args:
        rows: records of the driver.
        table_of: finds a table by its oid.
    """
    found: defaultdict[str, defaultdict[str, list[Function]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in rows:
        found[row["schema"]][row["name"]].append(_function(row, table_of))
    return MappingProxyType(
        {
            schema: MappingProxyType(
                {name: tuple(sorted(some, key=_rank)) for name, some in functions.items()}
            )
            for schema, functions in found.items()
        }
    )


def _rank(function: Function) -> tuple[int, list[tuple[str, str]]]:
    parameters = [(parameter.name, parameter.type) for parameter in function.parameters]
    return len(parameters), parameters


def _function(row: Any, table_of: Callable[[int], Table | None]) -> Function:  # noqa: ANN401 - a record of the driver
    declared = json.loads(row["parameters"] or "[]")
    given = [parameter for parameter in declared if parameter["mode"] in _INPUT]
    required = len(given) - row["defaults"]
    outputs = [parameter for parameter in declared if parameter["mode"] in _OUTPUT]
    if row["is_free_type"]:
        outputs = json.loads(row["attributes"] or "[]")
    return Function(
        schema=row["schema"],
        name=row["name"],
        sql_name=qualify(row["schema"], row["name"]),
        parameters=tuple(
            Parameter(
                parameter["name"],
                parameter["type"],
                is_required=position < required,
                is_variadic=parameter["mode"] == "v",
            )
            for position, parameter in enumerate(given)
        ),
        rows=_rows(row["schema"], row["name"], outputs) if outputs else table_of(row["result_oid"]),
        is_set=row["is_set"],
        is_void=row["is_void"],
        is_volatile=row["is_volatile"],
    )


def _rows(schema: str, name: str, outputs: Iterable[Mapping[str, str]]) -> Table:
    """Describe rows that belong to no table as if they did; nothing is related to them."""
    names = [output["name"] or f"column{place}" for place, output in enumerate(outputs, 1)]
    types = [output["type"] for output in outputs]
    return result_table(schema, name, zip(names, types, strict=True))


def result_table(schema: str, name: str, columns: Iterable[tuple[str, str]]) -> Table:
    """Describe what a function returns as a table of columns with these names and types.

    No table has its name, so that it is not taken for one.
    """
    return Table(
        schema=schema,
        name=f"{name}()",
        sql_name=qualify(schema, name),
        kind="view",
        comment=None,
        row_estimate=None,
        columns=MappingProxyType(
            {
                column: Column(
                    name=column,
                    sql_name=quote(column),
                    type=type_,
                    declared_type=type_,
                    nullable=True,
                    default=None,
                    is_generated=False,
                    comment=None,
                )
                for column, type_ in columns
            }
        ),
        primary_key=(),
        uniques=(),
        foreign_keys=(),
        indexes=(),
    )
