"""A short text that differs whenever what the schema cache holds may differ.

A row of the catalogue that is changed is a new row, by another transaction: its `xmin` says so.
Temporary tables are left out, since they come and go without anybody's seeing them here; what
PostgreSQL brings with it (below 16384, FirstNormalObjectId) changes with its version alone.
"""

from collections.abc import Awaitable
from typing import Final, Protocol

_ROWS: Final = (
    "SELECT 'c', oid, xmin FROM pg_class WHERE oid >= 16384 AND relpersistence <> 't'",
    """
    SELECT 'a', a.attrelid, a.xmin FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.oid >= 16384 AND c.relpersistence <> 't' AND a.attnum > 0
    """,
    "SELECT 'p', oid, xmin FROM pg_proc WHERE oid >= 16384",
    "SELECT 'k', oid, xmin FROM pg_constraint WHERE oid >= 16384",
    "SELECT 't', oid, xmin FROM pg_type WHERE typtype = 'd' AND oid >= 16384",
    "SELECT 'e', oid, xmin FROM pg_enum",
    "SELECT 'n', oid, xmin FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'",
    "SELECT 'd', objoid, xmin FROM pg_description WHERE objoid >= 16384",
)

FINGERPRINT: Final = f"""
SELECT md5(string_agg(concat(kind, oid, '.', row), ',' ORDER BY kind, oid, row::text))
FROM ({" UNION ALL ".join(_ROWS)}) AS found (kind, oid, row)
"""  # noqa: S608 - a constant


class Session(Protocol):
    """The part of a connection that is needed here."""

    def fetchval(self, query: str, /) -> Awaitable[str]:
        """Run a query and return the one value of its one row."""


async def read_fingerprint(session: Session) -> str:
    """Read the fingerprint of a database: 32 hexadecimal digits."""
    return await session.fetchval(FINGERPRINT)
