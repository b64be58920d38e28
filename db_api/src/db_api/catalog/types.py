"""The types that a request may cast to, under every name a client may use for them."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

TYPES: Final = """
SELECT CASE n.nspname WHEN 'pg_catalog' THEN '' ELSE n.nspname END AS schema,
       t.typname AS name, format_type(t.oid, -1) AS type
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype <> 'p' AND (n.nspname = 'pg_catalog' OR n.nspname !~ '^pg_')
  AND n.nspname <> 'information_schema'
"""
"""Rows of schema (empty for built-in types), name and SQL form; pseudo-types left out."""

_STANDARD_NAMES: Final = {
    "bigint": "int8",
    "bit varying": "varbit",
    "boolean": "bool",
    "char": "bpchar(1)",  # as in SQL, where the length of a bare `char` is 1
    "character": "bpchar(1)",
    "character varying": "varchar",
    "decimal": "numeric",
    "double precision": "float8",
    "float": "float8",
    "int": "int4",
    "integer": "int4",
    "real": "float4",
    "smallint": "int2",
    "time with time zone": "timetz",
    "time without time zone": "time",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
}
"""The SQL standard's names, which the catalogue does not hold (PostgreSQL docs, table 8.1)."""


def cast_types(rows: Iterable[tuple[str, str, str]]) -> Mapping[tuple[str, str], str]:
    """Index `(schema, name, type)` rows, the standard's names on top of the built-in ones."""
    types = {(schema, name): sql for schema, name, sql in rows}
    types |= {("", name): f"pg_catalog.{sql}" for name, sql in _STANDARD_NAMES.items()}
    return MappingProxyType(types)
