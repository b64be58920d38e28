"""What the login of a caller may do in its schema: asked of PostgreSQL, which enforces it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Self

from db_api.connections import Connection

_TABLES: Final = """
SELECT json_object_agg(c.relname, json_build_object(
    'select', has_any_column_privilege(c.oid, 'SELECT'),
    'insert', has_any_column_privilege(c.oid, 'INSERT') AND pg_relation_is_updatable(c.oid, true) & 8 <> 0,
    'update', has_any_column_privilege(c.oid, 'UPDATE') AND pg_relation_is_updatable(c.oid, true) & 4 <> 0,
    'delete', has_table_privilege(c.oid, 'DELETE') AND pg_relation_is_updatable(c.oid, true) & 16 <> 0,
    'readable', (SELECT json_agg(a.attname) FROM pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                   AND has_column_privilege(c.oid, a.attnum, 'SELECT')),
    'insertable', (SELECT json_agg(a.attname) FROM pg_attribute a
                   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                     AND has_column_privilege(c.oid, a.attnum, 'INSERT'))
))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1::text AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND has_schema_privilege(n.oid, 'USAGE')
"""  # noqa: E501 - one condition a line

_ENUMS: Final = """
SELECT json_object_agg(name, labels) FROM (
    SELECT format_type(enumtypid, -1) AS name, json_agg(enumlabel ORDER BY enumsortorder) AS labels
    FROM pg_enum GROUP BY enumtypid
) AS found
"""

_FUNCTIONS: Final = """
SELECT json_agg(DISTINCT p.proname)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = $1::text AND p.prokind = 'f' AND has_function_privilege(p.oid, 'EXECUTE')
  AND has_schema_privilege(n.oid, 'USAGE')
"""

_COMMENT: Final = "SELECT obj_description(to_regnamespace(quote_ident($1::text)), 'pg_namespace')"


@dataclass(frozen=True, slots=True)
class TablePrivileges:
    """What a login may do with one table.

    Attributes:
        readable: names of the columns that it may read.
        insertable: names of the columns that it may set in a new row.
    """

    select: bool
    insert: bool
    update: bool
    delete: bool
    readable: frozenset[str]
    insertable: frozenset[str]

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Self:
        """Read what the catalogue answered."""
        return cls(
            select=found["select"],
            insert=found["insert"],
            update=found["update"],
            delete=found["delete"],
            readable=frozenset(found["readable"] or ()),
            insertable=frozenset(found["insertable"] or ()),
        )


@dataclass(frozen=True, slots=True)
class Privileges:
    """What a login may do in one schema.

    Attributes:
        tables: by name.
        functions: names of those that it may call.
        enums: the labels of every enumerated type, by its qualified SQL name.
        comment: of the schema.
    """

    tables: Mapping[str, TablePrivileges]
    functions: frozenset[str] = frozenset()
    enums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    comment: str | None = None


async def read_privileges(connection: Connection, schema: str) -> Privileges:
    """Ask what the login of a connection may do in a schema."""
    await connection.execute("SET LOCAL search_path = pg_catalog")
    tables = json.loads(await connection.fetchval(_TABLES, schema) or "{}")
    enums = json.loads(await connection.fetchval(_ENUMS) or "{}")
    return Privileges(
        tables=MappingProxyType(
            {name: TablePrivileges.read(found) for name, found in tables.items()}
        ),
        functions=frozenset(json.loads(await connection.fetchval(_FUNCTIONS, schema) or "[]")),
        enums=MappingProxyType({name: tuple(labels) for name, labels in enums.items()}),
        comment=await connection.fetchval(_COMMENT, schema),
    )
