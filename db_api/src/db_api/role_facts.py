"""A schema's owners and login roles, as PostgreSQL knows them before anything is made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from db_api import grants
from db_api.api_keys import KeyType
from db_api.errors import AccessDeniedError, NotFoundError, StateConflictError
from db_api.grants import Target, role_name
from db_api.identifiers import quote

SERVER: Final = """
SELECT current_setting('server_version_num')::int AS version, current_database() AS database,
       current_user AS name, rolsuper OR rolcreaterole AS may_create_roles,
       rolsuper AS is_superuser
FROM pg_catalog.pg_roles WHERE rolname = current_user
"""
OWNERS: Final = """
WITH schema AS (SELECT oid, nspowner FROM pg_catalog.pg_namespace WHERE nspname = $1)
SELECT pg_catalog.pg_get_userbyid(owner) AS name, bool_or(is_schema) AS owns_schema,
       pg_catalog.pg_has_role(current_user, owner, 'USAGE') AS may_act_for
FROM (
    SELECT nspowner AS owner, true AS is_schema FROM schema
    UNION ALL
    SELECT relowner, false FROM pg_catalog.pg_class JOIN schema ON relnamespace = schema.oid
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT proowner, false FROM pg_catalog.pg_proc JOIN schema ON pronamespace = schema.oid
) AS owners GROUP BY owner ORDER BY owner
"""
_MAKERS: Final = """
SELECT rolname AS name FROM pg_catalog.pg_roles
WHERE rolname = ANY ($1::name[]) AND pg_catalog.pg_has_role(current_user, oid, 'USAGE')
"""
_ROLES: Final = """
SELECT rolname AS name, coalesce(shobj_description(oid, 'pg_authid'), '') AS comment,
       rolsuper OR rolreplication OR rolbypassrls OR rolcreatedb AS is_mighty
FROM pg_catalog.pg_roles WHERE rolname = ANY ($1::name[])
"""
Row = Any  # a record of the driver: what its columns hold is known to the query above it


class Session(Protocol):
    """The part of a connection that provisioning needs, in a transaction that is open."""

    async def execute(self, query: str, /, *args: object) -> str:
        """Run a statement."""

    async def fetch(self, query: str, /, *args: object) -> Sequence[Row]:
        """Run a query and return all its rows."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done for a schema.

    Attributes:
        repairs: roles that are there get new passwords, and their grants and settings are made
            as if they were new.
        revokes_public: not everybody may execute the functions of the schema's owners.
        makers: roles besides the owners and whoever provisions that make tables in the schema.
    """

    schema: str
    repairs: bool = False
    revokes_public: bool = False
    makers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What provisioning is decided by.

    Attributes:
        version: of the server, as 150018.
        target: what grants are written for.
        roles: those of the two that exist, and are ours.
    """

    version: int
    target: Target
    roles: frozenset[str]


async def gather(session: Session, wish: Wish, *, acts: bool = True) -> Facts:
    """Gather what is decided by.

    Args:
        session: of any login.
        wish: for which schema, and how.
        acts: refuse a login that may not act for every owner in the schema.

    Raises:
        NotFoundError: there is no such schema.
        AccessDeniedError: the login may not act for an owner.
        StateConflictError: a role of the name is not ours.
    """
    (server,) = await session.fetch(SERVER)
    owners = await session.fetch(OWNERS, wish.schema)
    if not owners:
        raise NotFoundError(
            f"There is no schema {wish.schema!r} in this database.",
            hint="`POST /api/schemas` or CREATE SCHEMA makes one.",
        )
    names = [role_name(server["database"], wish.schema, kind) for kind in KeyType]
    others = [owner for owner in owners if owner["name"] not in names]
    if acts:
        _require_owners(server["name"], wish.schema, others)
    makers = await session.fetch(_MAKERS, [server["name"], *wish.makers])
    own = {maker["name"] for maker in makers}
    creators = own | {owner["name"] for owner in others}
    is_foreign = not creators <= own
    target = Target(
        database=server["database"],
        schema=wish.schema,
        anon=names[0],
        service=names[1],
        creators=sorted(name for name in creators if not name.startswith("pg_")),
        closed=creators if wish.revokes_public else own,
        revokes_public=wish.revokes_public or not is_foreign,
    )
    return Facts(server["version"], target, await own_roles(session, names))


def _require_owners(name: str, schema: str, owners: Sequence[Row]) -> None:
    strange = [owner["name"] for owner in owners if not owner["may_act_for"]]
    if strange:
        grant = ", ".join(quote(owner) for owner in strange)
        raise AccessDeniedError(
            f"The database login {name!r} may not grant rights on schema {schema!r}: "
            f"what is in it belongs to {', '.join(strange)}.",
            hint=f"A DBA runs: GRANT {grant} TO {quote(name)};",
        )


async def own_roles(session: Session, names: Sequence[str]) -> frozenset[str]:
    """Find which of the roles exist.

    Raises:
        StateConflictError: one is not ours, or can do too much.
    """
    found = await session.fetch(_ROLES, names)
    for role in found:
        if role["comment"] != grants.ROLE_COMMENT:
            raise StateConflictError(
                f"There is a role {role['name']!r} that db-api did not make.",
                hint="A DBA drops or renames it.",
            )
        if role["is_mighty"]:
            raise StateConflictError(
                f"The role {role['name']!r} is a superuser, replicates, creates databases, or is "
                "not bound by row level security.",
                hint=f"A DBA runs: ALTER ROLE {quote(role['name'])}"
                " NOSUPERUSER NOREPLICATION NOBYPASSRLS NOCREATEDB;",
            )
    return frozenset(role["name"] for role in found)
