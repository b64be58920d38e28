"""What the server's own role in PostgreSQL may do: everything it needs, but never undo the log.

The role that migrates owns the tables; the one that serves is another, to which this grants.
"""

import re
from typing import Final

from sqlalchemy import text

from license_server.errors import ConfigurationError
from license_server.repository.database import Database, naming_faults
from license_server.repository.tables import audit_log, metadata

_ROLE: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")


async def grant_to(database: Database, role: str) -> None:
    """Let a role serve: all tables, but of the audit log only INSERT and SELECT.

    Raises:
        ConfigurationError: it is no PostgreSQL database, or no plain name of a role.
        NotReady: the database does not answer, or knows no such role.
    """
    if database.url is None:
        raise ConfigurationError("SQLite has no roles: --grant-to is for PostgreSQL")
    if not _ROLE.fullmatch(role):
        raise ConfigurationError("--grant-to: a name of a-z 0-9 _ is expected")
    others = ", ".join(name for name in metadata.tables if name != audit_log.name)
    statements = (
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {others} TO {role}",
        f"REVOKE ALL ON {audit_log.name} FROM {role}",
        f"GRANT SELECT, INSERT ON {audit_log.name} TO {role}",
        f"GRANT SELECT ON alembic_version TO {role}",
    )
    with naming_faults():
        async with database.engine().begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))
