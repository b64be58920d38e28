"""A vendor with a license server over a real database, all of it in this process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from license_server.admin.licenses import Licenses, LicenseView
from license_server.admin.products import Products
from license_server.audit import ACTOR_CLI
from license_server.desk import Desk, Vault
from license_server.emails import Email
from license_server.evaluation import Operation
from license_server.license_keys import LicenseKey
from license_server.licenses import Change
from license_server.orders import Order
from license_server.ports import LicenseRepository
from license_server.products import Policy, Product
from license_server.repository.database import Database
from license_server.repository.postgres import PostgresLicenses
from license_server.repository.sqlite import SqliteLicenses
from license_server.repository.transaction import SqlRepository
from license_server.sealing import Peppers, Sealer
from license_server.service import Answer, LicenseService
from license_server.stores import LicenseFilter
from support.licensing import (
    EMAIL,
    NOW,
    PEPPERS,
    PRODUCT,
    CountingThrottle,
    a_history,
    an_issuer,
    presented,
)

SEALER = Sealer(b"k" * 32)


@dataclass
class Vendor:
    """A vendor's server.

    Attributes:
        database: where it keeps everything.
        repository: the way of clients to it.
        service: answers clients.
        vault: blinds and seals.
    """

    database: Database
    repository: LicenseRepository
    service: LicenseService
    vault: Vault

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, database: Database, peppers: Peppers = PEPPERS
    ) -> AsyncIterator["Vendor"]:
        """Open a server over a migrated database, with the product `PRODUCT`."""
        repository = licenses_of(database)
        await repository.open()
        try:
            service = LicenseService(
                repository, an_issuer(), a_history(), peppers, CountingThrottle()
            )
            vendor = cls(database, repository, service, Vault(peppers, SEALER))
            async with vendor.desk() as desk:
                if not await Products(desk).all():
                    await Products(desk).create(Product(PRODUCT, PRODUCT))
            yield vendor
        finally:
            await repository.close()

    async def sell(self, code: str, **policy: Any) -> None:
        """Create a product."""
        async with self.desk() as desk:
            await Products(desk).create(Product(code, code, Policy(**policy)))

    async def issue(
        self, product: str = PRODUCT, email: Email = EMAIL, now: datetime = NOW, **order: Any
    ) -> tuple[str, LicenseKey]:
        """Issue a license; return its id and its key."""
        async with self.desk(now) as desk:
            issued = await Licenses(desk).issue(Order(product, email, **order))
        return issued.view.license.license_id, LicenseKey.parse(issued.key)

    @asynccontextmanager
    async def desk(self, now: datetime = NOW, actor: str = ACTOR_CLI) -> AsyncIterator[Desk]:
        """Begin a unit of the vendor's work."""
        async with SqlRepository(self.database).transaction() as transaction:
            yield Desk(transaction, self.vault, actor, now)

    async def change_standing(self, license_id: str, change: Change) -> LicenseView:
        """Suspend, reinstate or revoke a license."""
        async with self.desk() as desk:
            return await Licenses(desk).change_standing(license_id, change)

    async def renew(self, license_id: str, lasts: timedelta, now: datetime = NOW) -> LicenseView:
        """Give a license a later end."""
        async with self.desk(now) as desk:
            return await Licenses(desk).renew(license_id, lasts=lasts)

    async def show(self, license_id: str, now: datetime = NOW) -> LicenseView:
        """Return a license as its vendor sees it."""
        async with self.desk(now) as desk:
            return await Licenses(desk).get(license_id)

    async def list_ids(self, **which: Any) -> list[str]:
        """Return the ids of the licenses that a filter lets through, oldest first."""
        async with self.desk() as desk:
            views = await Licenses(desk).page(LicenseFilter(NOW, **which), None, 100)
        return [view.license.license_id for view in views]

    async def ask(
        self,
        key: LicenseKey,
        operation: Operation = Operation.VALIDATE,
        now: datetime = NOW,
        **changes: Any,
    ) -> Answer:
        """Ask as `presented(key=key, **changes)`."""
        return await self.service.answer(operation, presented(key=key, **changes), now=now)

    async def rows(self, query: str, **values: object) -> Sequence[Sequence[Any]]:
        """Run a query of the test's own."""
        async with self.database.engine().begin() as connection:
            return (await connection.execute(text(query), values)).all()

    async def change(self, statement: str, **values: object) -> None:
        """Change the database behind the server's back."""
        async with self.database.engine().begin() as connection:
            await connection.execute(text(statement), values)


def licenses_of(database: Database) -> LicenseRepository:
    """Return the clients' way to a database."""
    return SqliteLicenses(database) if database.path else PostgresLicenses(database)
