"""The stored logins of schemas: which role the keys of a schema and type run as."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db_api.api_keys import KeyType
from db_api.control.audit import Actor, record
from db_api.control.database import transaction
from db_api.control.tables import LOGINS


@dataclass(frozen=True, slots=True)
class StoredLogin:
    """A login role of a schema.

    Attributes:
        kind: of the keys that run as this role.
        sealed_password: None for a role that PostgreSQL lets in without one.
        is_provisioned: this service made the role; otherwise it is the operator's own.
    """

    schema: str
    kind: KeyType
    role: str
    sealed_password: bytes | None
    is_provisioned: bool
    created_at: datetime


class LoginStore:
    """The logins in the database.

    Every method raises `NotReadyError` when the database does not answer.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of_schema(self, schema: str) -> tuple[StoredLogin, ...]:
        """List the logins of a schema, at most one a kind."""
        statement = select(LOGINS).where(LOGINS.c.schema_name == schema)
        return await self._read(statement.order_by(LOGINS.c.kind))

    async def list(self) -> tuple[StoredLogin, ...]:
        """List the logins of all schemas, by schema and kind."""
        return await self._read(select(LOGINS).order_by(LOGINS.c.schema_name, LOGINS.c.kind))

    async def put(self, logins: Sequence[StoredLogin], actor: Actor) -> None:
        """Store logins in the place of those that their schemas have."""
        async with transaction(self._engine) as connection:
            for login in logins:
                await put_login(connection, login, actor)

    async def remove(self, schema: str, kind: KeyType, actor: Actor) -> bool:
        """Forget a login, whose keys then run as DATABASE_URL's; tell whether there was one."""
        async with transaction(self._engine) as connection:
            return await remove_login(connection, schema, kind, actor)

    async def _read(self, statement: Select[tuple[Any, ...]]) -> tuple[StoredLogin, ...]:
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return tuple(_login(row) for row in rows)


async def put_login(connection: AsyncConnection, login: StoredLogin, actor: Actor) -> None:
    """Store a login in the caller's transaction."""
    values = {
        "role_name": login.role,
        "sealed_password": login.sealed_password,
        "is_provisioned": login.is_provisioned,
        "created_at": login.created_at,
    }
    place = {"schema_name": login.schema, "kind": login.kind.value}
    statement = insert(LOGINS).values(**place, **values)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=list(place), set_=values)
    )
    details = {"role": login.role, "kind": login.kind.value}
    await record(connection, actor, "login.set", f"schema:{login.schema}", details)


async def remove_login(
    connection: AsyncConnection, schema: str, kind: KeyType, actor: Actor
) -> bool:
    """Forget a login in the caller's transaction; tell whether there was one."""
    statement = (
        delete(LOGINS)
        .where(LOGINS.c.schema_name == schema, LOGINS.c.kind == kind.value)
        .returning(LOGINS.c.role_name)
    )
    role = (await connection.execute(statement)).scalar_one_or_none()
    if role is None:
        return False
    details = {"role": role, "kind": kind.value}
    await record(connection, actor, "login.removed", f"schema:{schema}", details)
    return True


def _login(row: RowMapping) -> StoredLogin:
    return StoredLogin(
        schema=row[LOGINS.c.schema_name],
        kind=KeyType(row[LOGINS.c.kind]),
        role=row[LOGINS.c.role_name],
        sealed_password=row[LOGINS.c.sealed_password],
        is_provisioned=row[LOGINS.c.is_provisioned],
        created_at=row[LOGINS.c.created_at],
    )
