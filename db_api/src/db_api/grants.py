"""What the two login roles of a schema may do, as SQL: pure text, from facts.

Proven on PostgreSQL 15 and 18 as a login that is no superuser. The order matters:

1. The roles exist, and whoever provisions is a member of both: default privileges and DROP OWNED
   need that.
2. What is there is granted.
3. What will be made is granted, for each role that makes something here. Revoking EXECUTE from
   PUBLIC has an effect in the global form alone; PostgreSQL ignores it per schema.
4. The roles get settings, for people who log in with them: the service trusts none of these.
"""

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from db_api.api_keys import KeyType
from db_api.identifiers import SqlName, quote

CONNECTION_LIMIT: Final = 50
ROLE_COMMENT: Final = "Login of API keys, made by db-api provision"
"""By this a role is known as ours, even where the service's own tables are gone."""

_PURE: Final = re.compile(r"[^a-z0-9]+")
_SLUG_LENGTH: Final = 30
_DIGEST_LENGTH: Final = 12
_SUFFIXES: Final = {KeyType.ANON: "anon", KeyType.SERVICE_ROLE: "service"}
_S_ON_TABLES: Final = "SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER"
_S_ON_SEQUENCES: Final = "USAGE, SELECT, UPDATE"


def role_name(database: str, schema: str, kind: KeyType) -> str:
    """Derive the name of a schema's role: at most 63 bytes of `a-z`, `0-9` and `_`.

    Roles belong to the whole cluster, so the digest tells apart schemas of the same name in
    several databases, and names that look alike once cut and cleaned.
    """
    slug = _PURE.sub("_", schema.lower())[:_SLUG_LENGTH].strip("_")
    digest = hashlib.sha256(f"{database}\0{schema}".encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"dbapi_{slug}_{digest}_{_SUFFIXES[kind]}"


@dataclass(frozen=True, slots=True)
class Target:
    """The schema and the roles that grants are written for.

    Attributes:
        creators: roles besides S that make tables or functions in the schema, and whose default
            privileges whoever provisions may change.
        closed: those of them whose new functions not everybody may execute.
        revokes_public: the functions that are there lose the EXECUTE that everybody has.
    """

    database: str
    schema: str
    anon: str
    service: str
    creators: Sequence[str]
    closed: Collection[str]
    revokes_public: bool


def create_role(role: str, verifier: str) -> str:
    """Write the creation of a login role.

    Args:
        role: its name.
        verifier: of its password, as PostgreSQL stores it.
    """
    return (
        f"CREATE ROLE {quote(role)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT"
        f" NOREPLICATION NOBYPASSRLS CONNECTION LIMIT {CONNECTION_LIMIT} PASSWORD '{verifier}'"
    )


def alter_role(role: str, verifier: str) -> str:
    """Write what gives a role of ours a new password and the attributes that anybody may set."""
    return (
        f"ALTER ROLE {quote(role)} LOGIN NOCREATEROLE NOINHERIT"
        f" CONNECTION LIMIT {CONNECTION_LIMIT} PASSWORD '{verifier}'"
    )


def membership(role: str) -> Iterator[str]:
    """Write what makes a new role known and lets whoever provisions act for it."""
    yield f"COMMENT ON ROLE {quote(role)} IS '{ROLE_COMMENT}'"
    yield f"GRANT {quote(role)} TO CURRENT_USER"


def grants(target: Target) -> Iterator[str]:
    """Write all grants and settings of a schema."""
    schema, anon, service = quote(target.schema), quote(target.anon), quote(target.service)
    yield f"GRANT USAGE ON SCHEMA {schema} TO {anon}"
    yield f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {service}"
    yield f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {anon}"
    yield f"GRANT {_S_ON_TABLES} ON ALL TABLES IN SCHEMA {schema} TO {service}"
    yield f"GRANT {_S_ON_SEQUENCES} ON ALL SEQUENCES IN SCHEMA {schema} TO {service}"
    if target.revokes_public:
        yield f"REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA {schema} FROM PUBLIC"
    yield f"GRANT EXECUTE ON ALL ROUTINES IN SCHEMA {schema} TO {service}"
    for creator in (*target.creators, target.service):
        yield from _default_privileges(target, creator)
    yield from _settings(target)


def revocations(target: Target) -> Iterator[str]:
    """Write what takes back all that A was granted anywhere, and S in the schema.

    S owns tables, so DROP OWNED is not for it.
    """
    schema, anon, service = quote(target.schema), quote(target.anon), quote(target.service)
    yield f"REASSIGN OWNED BY {anon} TO {service}"
    yield f"DROP OWNED BY {anon}"
    for kind in ("TABLES", "SEQUENCES", "ROUTINES"):
        yield f"REVOKE ALL ON ALL {kind} IN SCHEMA {schema} FROM {service}"
        for creator in target.creators:
            yield f"{_defaults_of(creator, schema)} REVOKE ALL ON {kind} FROM {service}"
    yield f"REVOKE ALL ON SCHEMA {schema} FROM {service}"
    for role in (anon, service):
        yield f"ALTER ROLE {role} RESET ALL"
        yield f"ALTER ROLE {role} IN DATABASE {quote(target.database)} RESET ALL"


def for_the_dba(target: Target, server_version: int) -> Iterator[str]:
    """Write what only the database's owner or a superuser may run, and should.

    Args:
        target: as for `grants`.
        server_version: as 150018.
    """
    yield f"REVOKE TEMPORARY ON DATABASE {quote(target.database)} FROM PUBLIC"
    for role in (target.anon, target.service):
        yield f"ALTER ROLE {quote(role)} SET temp_file_limit = '1GB'"
    if server_version < 160_000:  # noqa: PLR2004 - from 16 on they refuse READ ONLY transactions
        yield (
            "REVOKE EXECUTE ON FUNCTION lo_create(oid), lo_creat(integer),"
            " lo_from_bytea(oid, bytea), lo_put(oid, bigint, bytea) FROM PUBLIC"
        )


def drop_role(role: str, heir: SqlName) -> Iterator[str]:
    """Write the end of a role: what it owns goes to an heir, what it was granted is gone."""
    name = quote(role)
    yield f"REASSIGN OWNED BY {name} TO {heir}"
    yield f"DROP OWNED BY {name}"
    yield f"DROP ROLE {name}"


def _defaults_of(creator: str, schema: SqlName) -> str:
    return f"ALTER DEFAULT PRIVILEGES FOR ROLE {quote(creator)} IN SCHEMA {schema}"


def _default_privileges(target: Target, creator: str) -> Iterator[str]:
    anon, service = quote(target.anon), quote(target.service)
    defaults = _defaults_of(creator, quote(target.schema))
    yield f"{defaults} GRANT SELECT ON TABLES TO {anon}"
    if creator == target.service or creator in target.closed:
        yield (
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {quote(creator)}"
            " REVOKE EXECUTE ON ROUTINES FROM PUBLIC"
        )
    if creator != target.service:
        yield f"{defaults} GRANT {_S_ON_TABLES} ON TABLES TO {service}"
        yield f"{defaults} GRANT {_S_ON_SEQUENCES} ON SEQUENCES TO {service}"
        yield f"{defaults} GRANT EXECUTE ON ROUTINES TO {service}"


def _settings(target: Target) -> Iterator[str]:
    place = f"IN DATABASE {quote(target.database)} SET"
    for role in (target.anon, target.service):
        yield f"ALTER ROLE {quote(role)} {place} search_path = {quote(target.schema)}"
        yield f"ALTER ROLE {quote(role)} {place} timezone = 'UTC'"
    yield f"ALTER ROLE {quote(target.anon)} {place} default_transaction_read_only = on"
