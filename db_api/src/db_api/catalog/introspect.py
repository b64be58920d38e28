"""Read the schema cache from PostgreSQL's catalogue.

The transaction's `search_path` is `pg_catalog`, so that every type and expression that
PostgreSQL prints is qualified and means the same wherever it is used.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeVar

from db_api.catalog.computed import COMPUTED, computed_column
from db_api.catalog.functions import FUNCTIONS, make_functions
from db_api.catalog.model import (
    Column,
    ComputedColumn,
    ForeignKey,
    Index,
    Table,
    Unique,
)
from db_api.catalog.origins import follow, read_rule
from db_api.catalog.relationships import (
    Name,
    Origin,
    Origins,
    Relationships,
    view_primary_key,
)
from db_api.catalog.snapshot import SchemaCache
from db_api.catalog.types import TYPES, cast_types
from db_api.identifiers import qualify, quote

Row = Any  # a record of the driver: what its columns hold is known to the query above it
Part = TypeVar("Part")


class Session(Protocol):
    """The part of a connection that introspection needs."""

    async def execute(self, query: str, /) -> str:
        """Run a statement without parameters."""

    async def fetch(self, query: str, /) -> Sequence[Row]:
        """Run a query and return all its rows."""


@dataclass(frozen=True, slots=True)
class _PrimaryKey:
    columns: tuple[str, ...]


_VISIBLE: Final = """
    c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""

_TABLES: Final = f"""
SELECT c.oid, n.nspname AS schema, c.relname AS name,
       CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned_table'
                      WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized_view'
                      ELSE 'foreign_table' END AS kind,
       obj_description(c.oid, 'pg_class') AS comment,
       CASE WHEN c.reltuples >= 0 AND c.relkind <> 'v' THEN c.reltuples::bigint END AS row_estimate
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {_VISIBLE}
ORDER BY n.nspname, c.relname
"""  # noqa: S608 - a constant

_COLUMNS: Final = f"""
WITH RECURSIVE step (domain, type) AS (
    SELECT oid, typbasetype FROM pg_type WHERE typtype = 'd'
    UNION ALL
    SELECT step.domain, t.typbasetype FROM step JOIN pg_type t ON t.oid = step.type
    WHERE t.typtype = 'd'
), base (domain, type) AS (
    SELECT step.domain, step.type FROM step JOIN pg_type t ON t.oid = step.type
    WHERE t.typtype <> 'd'
)
SELECT a.attrelid AS oid, a.attname AS name, a.attnum AS number,
       format_type(coalesce(base.type, a.atttypid), -1) AS type,
       format_type(a.atttypid, a.atttypmod) AS declared_type,
       NOT (a.attnotnull OR t.typnotnull) AS nullable,
       CASE WHEN a.attidentity = 'd'
                 THEN format('nextval(%L)', pg_get_serial_sequence(
                          format('%I.%I', n.nspname, c.relname), a.attname))
            WHEN a.attgenerated = '' THEN coalesce(pg_get_expr(d.adbin, d.adrelid), t.typdefault)
       END AS default,
       a.attgenerated <> '' OR a.attidentity = 'a' AS is_generated,
       col_description(a.attrelid, a.attnum) AS comment
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN base ON base.domain = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND {_VISIBLE}
ORDER BY a.attrelid, a.attnum
"""  # noqa: S608 - a constant

_CONSTRAINTS: Final = f"""
SELECT k.conrelid AS oid, k.contype::text AS type, k.conname AS name,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(attnum, position)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum
             ORDER BY u.position) AS columns,
       rn.nspname AS referenced_schema, r.relname AS referenced_table,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(attnum, position)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum
             ORDER BY u.position) AS referenced_columns
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class r ON r.oid = k.confrelid
LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
WHERE k.contype IN ('p', 'u', 'f') AND k.conparentid = 0 AND {_VISIBLE}
ORDER BY k.conrelid, k.conname
"""  # noqa: S608 - a constant

_INDEXES: Final = f"""
SELECT i.indrelid AS oid, x.relname AS name, i.indisunique AS is_unique,
       pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class x ON x.oid = i.indexrelid
WHERE {_VISIBLE}
ORDER BY i.indrelid, x.relname
"""  # noqa: S608 - a constant

_RULES: Final = """
SELECT c.oid, r.ev_action::text AS rule
FROM pg_rewrite r
JOIN pg_class c ON c.oid = r.ev_class
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND r.ev_type = '1'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""

_QUERIES: Final = (_TABLES, _COLUMNS, _CONSTRAINTS, _INDEXES, COMPUTED, _RULES, TYPES, FUNCTIONS)


async def read_schema_cache(session: Session) -> SchemaCache:
    """Describe every table and function outside PostgreSQL's own schemas, as of one snapshot."""
    await session.execute(
        "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL search_path = pg_catalog"
    )
    try:
        rows = [await session.fetch(query) for query in _QUERIES]
    finally:
        await session.execute("ROLLBACK")
    return await asyncio.to_thread(_make_schema_cache, *rows)  # views may take it a while


def _make_schema_cache(
    tables: Sequence[Row],
    column_rows: Sequence[Row],
    constraint_rows: Sequence[Row],
    index_rows: Sequence[Row],
    computed_rows: Sequence[Row],
    rules: Sequence[Row],
    types: Sequence[Row],
    functions: Sequence[Row],
) -> SchemaCache:
    columns = _by_table(column_rows, _column)
    constraints = _by_table(constraint_rows, _constraint)
    indexes = _by_table(index_rows, _index)
    computed = _by_table(computed_rows, computed_column)
    found: dict[Name, Table] = {}
    for row in tables:
        oid = row["oid"]
        table = _table(row, columns[oid], constraints[oid], indexes[oid], computed[oid])
        found[table.schema, table.name] = table
    origins = _origins(tables, column_rows, rules)
    for view, shown in origins.items():
        found[view] = _with_primary_key(found[view], shown, found)
    names = {row["oid"]: (row["schema"], row["name"]) for row in tables}
    schemas: defaultdict[str, dict[str, Table]] = defaultdict(dict)
    for table in found.values():
        schemas[table.schema][table.name] = table
    return SchemaCache(
        MappingProxyType({name: MappingProxyType(some) for name, some in schemas.items()}),
        cast_types((row["schema"], row["name"], row["type"]) for row in types),
        Relationships(found, origins),
        make_functions(functions, lambda oid: found.get(names.get(oid, ("", "")))),
    )


def _origins(tables: Sequence[Row], columns: Sequence[Row], rules: Sequence[Row]) -> Origins:
    names = {row["oid"]: (row["schema"], row["name"]) for row in tables}
    numbers = {(row["oid"], row["number"]): row["name"] for row in columns}
    origins: defaultdict[Name, dict[str, Origin]] = defaultdict(dict)
    for shown, place in follow({row["oid"]: read_rule(row["rule"]) for row in rules}):
        if shown in numbers and place in numbers:
            origin = Origin(*names[place[0]], numbers[place])
            origins[names[shown[0]]][numbers[shown]] = origin
    return origins


def _with_primary_key(
    view: Table, shown: Mapping[str, Origin], tables: Mapping[Name, Table]
) -> Table:
    """Give a view the primary key of the first table whose key it shows."""
    for name in dict.fromkeys((origin.schema, origin.table) for origin in shown.values()):
        key = view_primary_key(tables[name], shown)
        if key:
            return replace(view, primary_key=key)
    return view


def _by_table(rows: Iterable[Row], make: Callable[[Row], Part]) -> defaultdict[int, list[Part]]:
    parts: defaultdict[int, list[Part]] = defaultdict(list)
    for row in rows:
        parts[row["oid"]].append(make(row))
    return parts


def _column(row: Row) -> Column:
    return Column(
        name=row["name"],
        sql_name=quote(row["name"]),
        type=row["type"],
        declared_type=row["declared_type"],
        nullable=row["nullable"],
        default=row["default"],
        is_generated=row["is_generated"],
        comment=row["comment"],
    )


def _constraint(row: Row) -> _PrimaryKey | Unique | ForeignKey:
    columns = tuple(row["columns"])
    if row["type"] == "p":
        return _PrimaryKey(columns)
    if row["type"] == "u":
        return Unique(row["name"], columns)
    return ForeignKey(
        name=row["name"],
        columns=columns,
        referenced_schema=row["referenced_schema"],
        referenced_table=row["referenced_table"],
        referenced_columns=tuple(row["referenced_columns"]),
    )


def _index(row: Row) -> Index:
    return Index(row["name"], row["is_unique"], row["definition"])


def _table(
    row: Row,
    columns: list[Column],
    constraints: list[_PrimaryKey | Unique | ForeignKey],
    indexes: list[Index],
    computed: list[ComputedColumn],
) -> Table:
    keys = [found.columns for found in constraints if isinstance(found, _PrimaryKey)]
    return Table(
        schema=row["schema"],
        name=row["name"],
        sql_name=qualify(row["schema"], row["name"]),
        kind=row["kind"],
        comment=row["comment"],
        row_estimate=row["row_estimate"],
        columns=MappingProxyType({column.name: column for column in columns}),
        primary_key=keys[0] if keys else (),
        uniques=tuple(found for found in constraints if isinstance(found, Unique)),
        foreign_keys=tuple(found for found in constraints if isinstance(found, ForeignKey)),
        indexes=tuple(indexes),
        computed=MappingProxyType({column.name: column for column in computed}),
    )
