"""Provisioning as an operator asks for it: two connections, and what is stored of the outcome.

1. The roles are made or dropped in one transaction of PROVISION_DATABASE_URL.
2. What the service remembers of them is stored by DATABASE_URL.

What stops between the two is mended by doing it again: new roles without a stored login serve
nobody yet, and dropped ones are no longer remembered as soon as they are looked for.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Final

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db_api.api_keys import KeyType
from db_api.connections import Connection
from db_api.control.audit import Actor
from db_api.control.database import database_errors, transaction
from db_api.control.keys import revoke_keys
from db_api.control.logins import LoginStore, StoredLogin, remove_login
from db_api.control.tables import KEYS
from db_api.errors import AccessDeniedError, LoginRefusedError, StateConflictError
from db_api.logins import LoginVault
from db_api.provisioning import Provisioned, deprovision, provision, script
from db_api.role_facts import SERVER, Wish
from db_api.schemas import require_open

_CONNECT_SECONDS: Final = 5
_STATEMENT_SECONDS: Final = 60
_SERVER_SETTINGS: Final = {
    "application_name": "db-api provision",
    "search_path": "pg_catalog",
    "statement_timeout": f"{_STATEMENT_SECONDS}s",
    "lock_timeout": "10s",
}
_FIRST_SAFE_VERSION: Final = 160_000
_PLACE: Final = "SELECT current_database() AS database, current_user::text AS name"


@dataclass(frozen=True, slots=True)
class Removed:
    """What a deprovisioned schema has lost."""

    roles: tuple[str, ...]
    revoked_keys: int


class Provisioner:
    """Provisions schemas of one database.

    Args:
        url: of a login that may create roles.
        control: holds what the service remembers, as DATABASE_URL's login.
        vault: seals and opens passwords.

    Every method raises `NotReadyError` when the database does not answer, and
    `AccessDeniedError` when PostgreSQL refuses a statement.
    """

    def __init__(self, url: str, control: AsyncEngine, vault: LoginVault) -> None:
        self._url = url
        self._control = control
        self._vault = vault
        self._logins = LoginStore(control)

    async def provision(self, wish: Wish, actor: Actor) -> Provisioned:
        """Make the login roles of a schema, or mend them, and try them.

        Raises:
            SchemaProtectedError: the schema is PostgreSQL's or this service's own.
            NotFoundError: it is not there.
            StateConflictError: a role or login is in the way, or the URLs name two databases.
            LoginUnreadableError: there is no root secret.
            LoginRefusedError: the roles are made, and PostgreSQL does not let them in.
        """
        require_open(wish.schema)
        stored = await self._logins.of_schema(wish.schema)
        async with self._transaction() as (connection, serving_role):
            wish = replace(wish, makers=(serving_role,))
            done = await provision(connection, wish, stored, self._vault, actor.now)
        await self._logins.put(done.logins, actor)
        for login in done.logins:
            await self._try(login)
        return done

    async def is_able(self) -> bool:
        """Tell whether a serving process should do this by itself.

        A login that may create roles can grant itself any of them before PostgreSQL 16, and a
        superuser is none to serve with.
        """
        if not self._vault.can_seal:
            return False
        async with self._transaction() as (connection, _):
            (server,) = await connection.fetch(SERVER)
        is_safe = server["version"] >= _FIRST_SAFE_VERSION and not server["is_superuser"]
        return is_safe and bool(server["may_create_roles"])

    async def deprovision(self, schema: str, actor: Actor) -> Removed:
        """Drop the login roles of a schema and revoke its keys.

        Raises:
            SchemaProtectedError: the schema is PostgreSQL's or this service's own.
            StateConflictError: a role is in the way, or the URLs name two databases.
        """
        require_open(schema)
        stored = await self._logins.of_schema(schema)
        remembered = [login.role for login in stored if login.is_provisioned]
        async with self._transaction() as (connection, _):
            roles = await deprovision(connection, schema, remembered)
        async with transaction(self._control) as control:
            for kind in KeyType:
                await remove_login(control, schema, kind, actor)
            revoked = await revoke_keys(control, KEYS.c.schema_name == schema, actor)
        return Removed(roles, len(revoked))

    async def script(self, wish: Wish) -> tuple[Sequence[str], Sequence[str]]:
        """Write what `provision` runs, and what is for a DBA.

        Raises:
            SchemaProtectedError: the schema is PostgreSQL's or this service's own.
            NotFoundError: it is not there.
        """
        require_open(wish.schema)
        async with self._transaction() as (connection, _):
            return await script(connection, wish)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[tuple[Connection, str]]:
        """Open a transaction that may make roles; name the role of DATABASE_URL beside it."""
        async with transaction(self._control) as control:
            serving = (await control.execute(text(_PLACE))).mappings().one()
        with database_errors(), _refusals():
            connection = await asyncpg.connect(
                self._url, timeout=_CONNECT_SECONDS, server_settings=_SERVER_SETTINGS
            )
            try:
                async with connection.transaction():
                    place = await connection.fetchrow(_PLACE)
                    if place is None or place["database"] != serving["database"]:
                        raise StateConflictError(
                            "PROVISION_DATABASE_URL and DATABASE_URL name two databases.",
                            hint="They are the same database, under two logins.",
                        )
                    yield connection, serving["name"]
            finally:
                await connection.close()

    async def _try(self, login: StoredLogin) -> None:
        try:
            connection = await asyncpg.connect(
                self._vault.open(login).url, timeout=_CONNECT_SECONDS
            )
        except asyncpg.PostgresError as error:
            raise LoginRefusedError(
                f"The role {login.role!r} is made, and PostgreSQL does not let it in: "
                f"{error.message}.",
                hint="A DBA lets it in by pg_hba.conf (scram-sha-256), or by GRANT CONNECT ON "
                "DATABASE; then run `db-api provision` with --repair.",
            ) from error
        await connection.close()


@contextmanager
def _refusals() -> Iterator[None]:
    """Name what PostgreSQL refuses to whoever provisions; its words hold names alone."""
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        raise AccessDeniedError(
            f"PostgreSQL refuses this to the provisioning login: {error.message}.",
            hint="`db-api grants print SCHEMA` shows what a DBA can run instead.",
        ) from error
    except asyncpg.DependentObjectsStillExistError as error:
        raise StateConflictError(
            f"PostgreSQL does not drop the role: {error.message}.", details=error.detail
        ) from error
