"""Make, mend and remove the login roles of a schema.

Runs on a connection of whoever may make roles (PROVISION_DATABASE_URL), which the serving process
never holds: on PostgreSQL 15 such a login can grant itself any role. What is to be run is decided
from facts by `grants`; here they are gathered, refused in plain words, and run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from db_api import grants
from db_api.api_keys import KeyType
from db_api.control.logins import StoredLogin
from db_api.errors import AccessDeniedError, StateConflictError
from db_api.grants import Target, role_name
from db_api.identifiers import quote
from db_api.logins import LoginVault
from db_api.passwords import generate_password
from db_api.role_facts import OWNERS, SERVER, Session, Wish, gather, own_roles
from db_api.scram import scram_verifier

_STRANGE_MEMBERSHIPS: Final = """
SELECT pg_catalog.pg_get_userbyid(roleid) AS granted, pg_catalog.pg_get_userbyid(member) AS member
FROM pg_catalog.pg_auth_members
WHERE pg_catalog.pg_get_userbyid(member) = ANY ($1::name[])
"""
_END_SESSIONS: Final = """
SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
WHERE usename = ANY ($1::name[]) AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What came of it.

    Attributes:
        logins: to be stored; none when all was there and nothing was to be repaired.
        for_the_dba: statements that should be run by the database's owner or a superuser.
    """

    logins: tuple[StoredLogin, ...]
    for_the_dba: tuple[str, ...]


async def require_power(session: Session) -> None:
    """Refuse a login that cannot make roles.

    Raises:
        AccessDeniedError: it cannot.
    """
    (server,) = await session.fetch(SERVER)
    if not server["may_create_roles"]:
        raise AccessDeniedError(
            f"The database login {server['name']!r} may not create roles.",
            hint=f"A DBA runs: ALTER ROLE {quote(server['name'])} CREATEROLE; "
            "or give PROVISION_DATABASE_URL another login.",
        )


async def provision(
    session: Session, wish: Wish, stored: Sequence[StoredLogin], vault: LoginVault, now: datetime
) -> Provisioned:
    """Make the two login roles of a schema, or mend them.

    Args:
        session: of whoever may create roles.
        wish: for which schema, and how.
        stored: the logins that the schema has.
        vault: seals their passwords.
        now: the wall clock.

    Raises:
        AccessDeniedError: the login may not create roles, or may not act for an owner.
        NotFoundError: there is no such schema.
        StateConflictError: the schema has a login that is not ours, or a role of the name is not.
        LoginUnreadableError: there is no root secret, so passwords cannot be sealed.
    """
    await require_power(session)
    _require_own(wish.schema, stored)
    facts = await gather(session, wish)
    target = facts.target
    wanted = {KeyType.ANON: target.anon, KeyType.SERVICE_ROLE: target.service}
    known = {login.role for login in stored} & facts.roles
    advice = tuple(grants.for_the_dba(target, facts.version))
    if known == set(wanted.values()) and not wish.repairs:
        return Provisioned((), advice)
    logins = []
    for kind, role in wanted.items():
        password = generate_password()
        sealed = vault.seal(wish.schema, kind, role, password)
        await _set_up(session, role, scram_verifier(password), exists=role in facts.roles)
        logins.append(
            StoredLogin(
                wish.schema, kind, role, sealed_password=sealed, is_provisioned=True, created_at=now
            )
        )
    await _strip(session, target)
    for statement in grants.grants(target):
        await session.execute(statement)
    return Provisioned(tuple(logins), advice)


async def deprovision(session: Session, schema: str, roles: Sequence[str]) -> tuple[str, ...]:
    """Remove the login roles of a schema; what they own goes to its owner.

    Args:
        session: of whoever may create roles.
        schema: which may be gone.
        roles: that the service remembers as its own.

    Returns:
        The roles that were there.

    Raises:
        AccessDeniedError: the login may not create roles.
        StateConflictError: a role of the name is not ours.
    """
    await require_power(session)
    (server,) = await session.fetch(SERVER)
    derived = [role_name(server["database"], schema, kind) for kind in KeyType]
    there = sorted(await own_roles(session, sorted({*roles, *derived})))
    owners = await session.fetch(OWNERS, schema)
    heirs = [owner["name"] for owner in owners if owner["owns_schema"] and owner["may_act_for"]]
    for role in there:
        await session.execute(f"GRANT {quote(role)} TO CURRENT_USER")
    await session.fetch(_END_SESSIONS, there)
    for role in there:
        for statement in grants.drop_role(role, quote(heirs[0] if heirs else server["name"])):
            await session.execute(statement)
    return tuple(there)


async def script(session: Session, wish: Wish) -> tuple[Sequence[str], Sequence[str]]:
    """Write what `provision` would run for a schema, and what is for the DBA.

    Args:
        session: of any login.
        wish: for which schema, and how.

    Raises:
        NotFoundError: there is no such schema.
    """
    facts = await gather(session, wish, acts=False)
    target = facts.target
    statements: list[str] = []
    for role in (target.anon, target.service):
        statements.append(grants.create_role(role, "<SCRAM verifier>"))
        statements += grants.membership(role)
    statements += grants.grants(target)
    return statements, tuple(grants.for_the_dba(target, facts.version))


def _require_own(schema: str, stored: Sequence[StoredLogin]) -> None:
    for login in stored:
        if not login.is_provisioned:
            raise StateConflictError(
                f"The {login.kind} keys of schema {schema!r} run as the role {login.role!r}, "
                "which db-api did not make.",
                hint=f"First run `db-api logins remove --schema {schema} --type {login.kind}`.",
            )


async def _set_up(session: Session, role: str, verifier: str, *, exists: bool) -> None:
    if exists:
        await session.execute(grants.alter_role(role, verifier))
    else:
        await session.execute(grants.create_role(role, verifier))
    for statement in grants.membership(role):
        await session.execute(statement)


async def _strip(session: Session, target: Target) -> None:
    """Take from the two roles whatever they were given besides; a new one has nothing."""
    for statement in grants.revocations(target):
        await session.execute(statement)
    for row in await session.fetch(_STRANGE_MEMBERSHIPS, [target.anon, target.service]):
        await session.execute(f"REVOKE {quote(row['granted'])} FROM {quote(row['member'])}")
