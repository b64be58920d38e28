"""What the login of DATABASE_URL may do that no request needs: it must not be a master key.

Whoever finds a hole in the service, or steals its settings, holds this login.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db_api.control.database import database_errors
from db_api.findings import Finding, failed, passed, warned

_QUERY: Final = text("""
SELECT r.rolname,
    array_remove(ARRAY[
        CASE WHEN r.rolsuper THEN 'is a superuser' END,
        CASE WHEN r.rolbypassrls THEN 'bypasses row level security' END,
        CASE WHEN r.rolreplication THEN 'may replicate the whole cluster' END,
        CASE WHEN NOT r.rolsuper AND pg_has_role(r.oid, d.datdba, 'MEMBER')
            THEN 'owns the database' END
    ] || ARRAY(
        SELECT 'is a member of ' || g.rolname FROM pg_roles g
        WHERE NOT r.rolsuper AND pg_has_role(r.oid, g.oid, 'MEMBER') AND g.rolname IN (
            'pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')
        ORDER BY g.rolname
    ), NULL),
    r.rolcreaterole
FROM pg_roles r, pg_database d
WHERE r.rolname = session_user AND d.datname = current_database()""")
_REMEDY: Final = (
    "make a login of its own: CREATE ROLE shop_api LOGIN PASSWORD '…'; "
    "GRANT CONNECT, CREATE ON DATABASE … TO shop_api; then grant it what it is to serve"
)


@dataclass(frozen=True, slots=True)
class LoginRights:
    """What a login may do besides what it is granted on objects.

    Attributes:
        name: of the role.
        excesses: what is too much, in words that follow the name.
        makes_roles: it may make other roles, which provisioning over HTTP needs.
    """

    name: str
    excesses: tuple[str, ...]
    makes_roles: bool


async def read_login_rights(engine: AsyncEngine) -> LoginRights:
    """Ask PostgreSQL what its login may do.

    Raises:
        NotReadyError: the database does not answer.
    """
    with database_errors():
        async with engine.connect() as connection:
            name, excesses, makes_roles = (await connection.execute(_QUERY)).one()
    return LoginRights(name, tuple(excesses), makes_roles)


def judge_login(rights: LoginRights) -> Finding:
    """Say whether a login may serve."""
    if rights.excesses:
        what = " and ".join(rights.excesses)
        return failed("D003", f"DATABASE_URL: its login {rights.name!r} {what}", _REMEDY)
    if rights.makes_roles:
        return warned(
            "D003",
            f"the login {rights.name!r} may make roles; on PostgreSQL 15 that is any role",
            "provision by `db-api provision` with a URL of its own instead",
        )
    return passed("D003", f"the login {rights.name!r} is neither superuser nor owner")
