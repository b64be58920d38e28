"""The vendor's work by SQLAlchemy: ease of change before speed."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from license_server.admin_ports import AdminTransaction, LicenseRecord, StoredKey, StoredOwner
from license_server.audit import Change
from license_server.errors import StateConflict
from license_server.licenses import Kind, License
from license_server.products import Product
from license_server.repository import trail
from license_server.repository.database import Database, naming_faults
from license_server.repository.rows import (
    Row,
    license_values,
    product_values,
    to_instant,
    to_license,
    to_product,
    to_unix,
)
from license_server.repository.statements import Rows
from license_server.repository.tables import (
    admin_tokens,
    deployments,
    license_keys,
    licenses,
    owners,
    products,
    server_state,
)
from license_server.tokens import AdminToken


class Administration:
    """The `AdminRepository` of either database.

    Args:
        database: where it is.
    """

    def __init__(self, database: Database) -> None:
        self._engine = database.engine()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AdminTransaction]:
        """See `AdminRepository.transaction`."""
        with naming_faults():
            try:
                async with self._engine.begin() as connection:
                    yield SqlTransaction(connection)
            except IntegrityError as error:
                raise StateConflict("another change came first: look and try again") from error


class SqlTransaction:
    """The `AdminTransaction` of one connection; its methods are described there.

    Args:
        connection: inside a transaction.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def product(self, code: str) -> Product | None:
        """See `AdminTransaction`."""
        rows = await self._rows(select(products).where(products.c.code == code))
        return to_product(rows[0]) if rows else None

    async def products(self) -> Sequence[Product]:
        """See `AdminTransaction`."""
        rows = await self._rows(select(products).order_by(products.c.code))
        return [to_product(row) for row in rows]

    async def add_product(self, product: Product, now: datetime) -> None:
        """See `AdminTransaction`."""
        await self._connection.execute(insert(products).values(product_values(product, now)))

    async def owner_id(self, email_indexes: Sequence[bytes]) -> str | None:
        """See `AdminTransaction`."""
        found = select(owners.c.id).where(owners.c.email_index.in_(email_indexes))
        owner_id: str | None = (await self._connection.execute(found)).scalar()
        return owner_id

    async def add_owner(self, owner: StoredOwner, now: datetime) -> None:
        """See `AdminTransaction`."""
        await self._connection.execute(
            insert(owners).values(
                id=owner.owner_id,
                email_index=owner.email_index,
                domain_index=owner.domain_index,
                email_sealed=owner.email_sealed,
                pepper_id=owner.pepper_id,
                created_at=to_unix(now),
            )
        )

    async def add_license(self, license_: License, owner_id: str, key: StoredKey) -> None:
        """See `AdminTransaction`."""
        await self._connection.execute(insert(licenses).values(license_values(license_, owner_id)))
        await self._connection.execute(
            insert(license_keys).values(
                mac=key.mac,
                pepper_id=key.pepper_id,
                hint=key.hint,
                license_id=key.license_id,
                created_at=to_unix(license_.issued_at),
            )
        )

    async def has_trial(self, product: str, owner_id: str) -> bool:
        """See `AdminTransaction`."""
        trials = select(licenses.c.id).where(
            licenses.c.owner_id == owner_id,
            licenses.c.product == product,
            licenses.c.kind == Kind.TRIAL.value,
        )
        return (await self._connection.execute(trials)).first() is not None

    async def license(self, license_id: str) -> LicenseRecord | None:
        """See `AdminTransaction`."""
        await self._connection.execute(
            select(licenses.c.id).where(licenses.c.id == license_id).with_for_update()
        )
        rows = await self._rows(_records().where(licenses.c.id == license_id))
        return _to_record(rows[0]) if rows else None

    async def licenses(
        self, product: str | None, email_indexes: Sequence[bytes] | None
    ) -> Sequence[LicenseRecord]:
        """See `AdminTransaction`."""
        query = _records().order_by(licenses.c.issued_at, licenses.c.id)
        if product is not None:
            query = query.where(licenses.c.product == product)
        if email_indexes is not None:
            query = query.where(owners.c.email_index.in_(email_indexes))
        return [_to_record(row) for row in await self._rows(query)]

    async def save_license(self, license_: License) -> None:
        """See `AdminTransaction`."""
        end = license_.expires_at
        await self._connection.execute(
            update(licenses)
            .where(licenses.c.id == license_.license_id)
            .values(
                standing=license_.standing.value,
                expires_at=None if end is None else to_unix(end),
            )
        )

    async def add_admin_token(self, token: AdminToken) -> None:
        """See `AdminTransaction`."""
        await self._connection.execute(
            insert(admin_tokens).values(
                hash=token.hash(),
                prefix=token.prefix,
                role=token.role.value,
                created_at=to_unix(token.created_at),
                expires_at=to_unix(token.expires_at),
            )
        )

    async def replace_newest_time(self, now: datetime) -> datetime:
        """See `AdminTransaction`."""
        newest = await self._rows(select(server_state.c.newest_at).with_for_update())
        await self._connection.execute(update(server_state).values(newest_at=to_unix(now)))
        return to_instant(newest[0]["newest_at"])

    async def record(self, change: Change, now: datetime) -> None:
        """See `AdminTransaction`."""
        await trail.append(self._connection, change, now)

    async def _rows(self, query: Rows) -> Sequence[Row]:
        return (await self._connection.execute(query)).mappings().all()


def _records() -> Rows:
    newest_hint = (
        select(license_keys.c.hint)
        .where(license_keys.c.license_id == licenses.c.id)
        .order_by(license_keys.c.superseded_until.is_not(None), license_keys.c.created_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    registered = (
        select(func.count())
        .select_from(deployments)
        .where(deployments.c.license_id == licenses.c.id)
        .scalar_subquery()
    )
    return select(
        *licenses.c,
        owners.c.email_sealed,
        newest_hint.label("key_hint"),
        registered.label("deployments"),
    ).join(owners, owners.c.id == licenses.c.owner_id)


def _to_record(row: Row) -> LicenseRecord:
    return LicenseRecord(
        license=to_license(row),
        owner_id=row["owner_id"],
        email_sealed=row["email_sealed"],
        key_hint=row["key_hint"],
        deployments=row["deployments"],
    )
