"""Functions of a table's rows that are read like columns.

They stand in the table's schema, take one of its rows, and return one value that is no row
itself (PostgreSQL docs, "Using Composite Types in Queries").
"""

from typing import Any, Final

from db_api.catalog.model import ComputedColumn
from db_api.identifiers import qualify, quote

COMPUTED: Final = """
WITH RECURSIVE base (domain, type) AS (
    SELECT oid, typbasetype FROM pg_type WHERE typtype = 'd'
    UNION ALL
    SELECT base.domain, t.typbasetype FROM base JOIN pg_type t ON t.oid = base.type
    WHERE t.typtype = 'd'
)
SELECT c.oid, n.nspname AS schema, p.proname AS name,
       format_type(coalesce(base.type, p.prorettype), -1) AS type
FROM pg_proc p
JOIN pg_type argument ON argument.oid = p.proargtypes[0]
JOIN pg_class c ON c.oid = argument.typrelid AND c.relnamespace = p.pronamespace
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_type result ON result.oid = p.prorettype
LEFT JOIN base ON base.domain = p.prorettype
  AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = base.type AND t.typtype = 'd')
WHERE p.pronargs = 1 AND p.prokind = 'f' AND NOT p.proretset AND result.typtype NOT IN ('c', 'p')
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY c.oid, p.proname
"""
"""Rows of the table's oid, and the function's schema, name and type."""


def computed_column(row: Any) -> ComputedColumn:  # noqa: ANN401 - a record of the driver
    """Make a computed column of a row of `COMPUTED`."""
    return ComputedColumn(
        name=row["name"],
        sql_name=quote(row["name"]),
        function=qualify(row["schema"], row["name"]),
        type=row["type"],
    )
