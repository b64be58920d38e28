"""The schemas of the database, "projects" for their users: list, create, drop."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db_api.control.announcements import announce_schema_change
from db_api.control.audit import Actor, record
from db_api.control.database import sqlstate_of, transaction
from db_api.control.keys import revoke_keys
from db_api.control.tables import KEYS
from db_api.control.tables import SCHEMA as CONTROL_SCHEMA
from db_api.errors import (
    AccessDeniedError,
    InvalidRequestError,
    NotFoundError,
    SchemaProtectedError,
    StateConflictError,
)
from db_api.identifiers import InvalidNameError, is_creatable, quote

_SYSTEM: Final = frozenset({CONTROL_SCHEMA, "information_schema"})
_DUPLICATE: Final = "42P06"
_PRIVILEGE: Final = "42501"
_LIST: Final = text(
    "SELECT nspname AS name, pg_get_userbyid(nspowner) AS owner,"
    " obj_description(oid, 'pg_namespace') AS comment"
    " FROM pg_catalog.pg_namespace"
    " WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> ALL (:hidden)"
    " ORDER BY nspname"
)
_EXISTS: Final = text("SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = :name)")


@dataclass(frozen=True, slots=True)
class SchemaInfo:
    """One schema, as its list shows it."""

    name: str
    owner: str
    comment: str | None


def is_protected(name: str) -> bool:
    """Tell whether a schema is PostgreSQL's or this service's own: nobody reaches it from here."""
    return name in _SYSTEM or name.startswith("pg_")


def require_open(name: str) -> None:
    """Refuse a protected schema, and a name that none can have.

    Raises:
        SchemaProtectedError: it is PostgreSQL's or this service's own.
        NotFoundError: PostgreSQL would not even look for it.
    """
    if is_protected(name):
        raise SchemaProtectedError(f"Schema {name!r} belongs to PostgreSQL or to this service.")
    try:
        quote(name)
    except InvalidNameError as error:
        raise NotFoundError(f"There is no schema of that name: {error}.") from error


class SchemaStore:
    """The schemas in the database.

    Every method raises `NotReadyError` when the database does not answer.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def list(self) -> tuple[SchemaInfo, ...]:
        """List the schemas that are not protected, in alphabetical order."""
        async with transaction(self._engine) as connection:
            rows = await connection.execute(_LIST, {"hidden": sorted(_SYSTEM)})
        return tuple(SchemaInfo(row.name, row.owner, row.comment) for row in rows)

    async def require(self, name: str) -> None:
        """Refuse a schema that is protected or not there.

        Raises:
            SchemaProtectedError: it is PostgreSQL's or this service's own.
            NotFoundError: there is none of that name.
        """
        require_open(name)
        async with transaction(self._engine) as connection:
            await _require_there(connection, name)

    async def create(self, name: str, actor: Actor) -> None:
        """Create a schema.

        Raises:
            InvalidRequestError: the name may not be given to something new.
            SchemaProtectedError: the name is PostgreSQL's or this service's own.
            StateConflictError: the schema is there.
            AccessDeniedError: the service's login may not create schemas.
        """
        if not is_creatable(name):
            raise InvalidRequestError(
                "The name of a schema has 1 to 63 of A-Z, a-z, 0-9 and _, no digit first."
            )
        require_open(name)
        try:
            async with transaction(self._engine) as connection:
                await connection.exec_driver_sql(f"CREATE SCHEMA {quote(name)}")
                await record(connection, actor, "schema.created", f"schema:{name}", {})
                await announce_schema_change(connection)
        except DBAPIError as error:
            raise _refusal(error, name) from error

    async def drop(self, name: str, actor: Actor) -> int:
        """Drop a schema with everything in it and revoke its keys; return how many those were.

        Raises:
            SchemaProtectedError: it is PostgreSQL's or this service's own, or `public`.
            NotFoundError: there is none of that name.
            AccessDeniedError: the service's login does not own it.
        """
        require_open(name)
        if name == "public":
            raise SchemaProtectedError("Schema 'public' is not dropped from here.")
        try:
            async with transaction(self._engine) as connection:
                await _require_there(connection, name)
                revoked = await revoke_keys(connection, KEYS.c.schema_name == name, actor)
                await connection.exec_driver_sql(f"DROP SCHEMA {quote(name)} CASCADE")
                await record(connection, actor, "schema.dropped", f"schema:{name}", {})
                await announce_schema_change(connection)
        except DBAPIError as error:
            raise _refusal(error, name) from error
        return len(revoked)


async def _require_there(connection: AsyncConnection, name: str) -> None:
    if not (await connection.execute(_EXISTS, {"name": name})).scalar_one():
        raise NotFoundError(f"There is no schema {name!r}.", hint="`GET /api/schemas` lists them.")


def _refusal(error: DBAPIError, name: str) -> Exception:
    """Say what PostgreSQL's refusal means; what has no meaning here stays as it is."""
    if sqlstate_of(error) == _DUPLICATE:
        return StateConflictError(f"Schema {name!r} is there already.")
    if sqlstate_of(error) == _PRIVILEGE:
        return AccessDeniedError(
            f"The service's database login may not do this to schema {name!r}.",
            hint="Creating needs CREATE on the database, dropping needs the schema's owner.",
        )
    return error
