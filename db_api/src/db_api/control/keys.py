"""The stored API keys: find, create, list, rotate, revoke."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, RowMapping, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db_api.api_keys import ApiKey, KeyType, digest_of, prefix_of
from db_api.control.audit import Actor, record
from db_api.control.database import transaction
from db_api.control.tables import KEYS
from db_api.errors import NotFoundError, StateConflictError


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a key is made from, its secret excepted."""

    name: str
    type: KeyType
    schema: str
    expires_at: datetime | None = None


class KeyStore:
    """The keys in the database.

    Every method raises `NotReadyError` when the database does not answer.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, digest: bytes) -> ApiKey | None:
        """Find a key by the SHA-256 of its text, revoked and expired ones included."""
        async with transaction(self._engine) as connection:
            found = await connection.execute(select(KEYS).where(KEYS.c.digest == digest))
            row = found.mappings().one_or_none()
        return _api_key(row) if row else None

    async def create(self, secret: str, new: NewKey, actor: Actor) -> ApiKey:
        """Store a new key.

        Raises:
            StateConflictError: a live key of that name exists in the schema.
        """
        key = ApiKey(
            id=uuid4(),
            digest=digest_of(secret),
            prefix=prefix_of(secret),
            name=new.name,
            type=new.type,
            schema=new.schema,
            created_at=actor.now,
            expires_at=new.expires_at,
            revoked_at=None,
        )
        try:
            async with transaction(self._engine) as connection:
                await connection.execute(KEYS.insert().values(_row(key)))
                await record(connection, actor, "key.created", f"key:{key.id}", _described(key))
        except IntegrityError as error:
            raise StateConflictError(
                f"Schema {new.schema!r} has a live key named {new.name!r}.",
                hint="Choose another keyName, or revoke that key first.",
            ) from error
        return key

    async def rotate(
        self, schema: str, key_id: UUID, secret: str, overlap: timedelta, actor: Actor
    ) -> ApiKey:
        """Make a key that takes the place of another one, under its name and until its end.

        Args:
            schema: of both.
            key_id: of the old one.
            secret: of the new one.
            overlap: how long the old one still lives; none = it is revoked.
            actor: who does it.

        Raises:
            NotFoundError: the schema has no such key.
            StateConflictError: it is revoked, expired, or replaced already.
        """
        async with transaction(self._engine) as connection:
            old = await _locked(connection, schema, key_id)
            if not old.is_live(actor.now) or old.replaced_by is not None:
                raise StateConflictError(
                    "The key is revoked, expired, or replaced already.",
                    hint="Create a new one, or rotate the one that took its place.",
                )
            new = replace(
                old,
                id=uuid4(),
                digest=digest_of(secret),
                prefix=prefix_of(secret),
                created_at=actor.now,
                last_used_at=None,
            )
            end = actor.now + overlap
            values: dict[str, object] = {"replaced_by": new.id}
            if overlap and (old.expires_at is None or end < old.expires_at):
                values["expires_at"] = end
            await connection.execute(update(KEYS).where(KEYS.c.id == key_id).values(values))
            await connection.execute(KEYS.insert().values(_row(new)))
            details = {**_described(new), "replaces": str(old.id)}
            await record(connection, actor, "key.rotated", f"key:{new.id}", details)
            if not overlap:
                await revoke_keys(connection, KEYS.c.id == key_id, actor)
        return new

    async def mark_used(self, digests: Collection[bytes], at: datetime) -> None:
        """Store that keys were used."""
        statement = update(KEYS).where(KEYS.c.digest.in_(digests)).values(last_used_at=at)
        async with transaction(self._engine) as connection:
            await connection.execute(statement)

    async def list(self, schema: str) -> tuple[ApiKey, ...]:
        """List the keys of a schema, newest first, revoked ones included."""
        statement = (
            select(KEYS)
            .where(KEYS.c.schema_name == schema)
            .order_by(KEYS.c.created_at.desc(), KEYS.c.id)
        )
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return tuple(_api_key(row) for row in rows)

    async def revoke(self, schema: str, key_id: UUID, actor: Actor) -> ApiKey:
        """Revoke a key for good; a second time changes nothing.

        Raises:
            NotFoundError: the schema has no such key.
        """
        async with transaction(self._engine) as connection:
            key = await _locked(connection, schema, key_id)
            if key.revoked_at is None:
                (key,) = await revoke_keys(connection, KEYS.c.id == key_id, actor)
        return key


async def _locked(connection: AsyncConnection, schema: str, key_id: UUID) -> ApiKey:
    statement = select(KEYS).where(KEYS.c.id == key_id, KEYS.c.schema_name == schema)
    found = await connection.execute(statement.with_for_update())
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"Schema {schema!r} has no key with that id.")
    return _api_key(row)


async def revoke_keys(
    connection: AsyncConnection, which: ColumnElement[bool], actor: Actor
) -> tuple[ApiKey, ...]:
    """Revoke the live keys that a condition selects, in the caller's transaction."""
    statement = (
        update(KEYS)
        .where(which, KEYS.c.revoked_at.is_(None))
        .values(revoked_at=actor.now)
        .returning(KEYS)
    )
    rows = (await connection.execute(statement)).mappings().all()
    keys = tuple(_api_key(row) for row in rows)
    for key in keys:
        await record(connection, actor, "key.revoked", f"key:{key.id}", _described(key))
    return keys


def _described(key: ApiKey) -> dict[str, str | None]:
    return {
        "prefix": key.prefix,
        "name": key.name,
        "type": key.type,
        "schema": key.schema,
        "expiresAt": key.expires_at.isoformat() if key.expires_at else None,
    }


def _row(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "digest": key.digest,
        "prefix": key.prefix,
        "name": key.name,
        "type": key.type,
        "schema_name": key.schema,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }


def _api_key(row: RowMapping) -> ApiKey:
    return ApiKey(
        id=row[KEYS.c.id],
        digest=row[KEYS.c.digest],
        prefix=row[KEYS.c.prefix],
        name=row[KEYS.c.name],
        type=KeyType(row[KEYS.c.type]),
        schema=row[KEYS.c.schema_name],
        created_at=row[KEYS.c.created_at],
        expires_at=row[KEYS.c.expires_at],
        revoked_at=row[KEYS.c.revoked_at],
        last_used_at=row[KEYS.c.last_used_at],
        replaced_by=row[KEYS.c.replaced_by],
    )
