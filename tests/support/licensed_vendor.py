"""A vendor with a license server over a real database, all of it in this process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from license_server.admin import Admin
from license_server.audit import ACTOR_CLI
from license_server.emails import Email
from license_server.evaluation import Operation
from license_server.license_keys import LicenseKey
from license_server.orders import Order
from license_server.ports import LicenseRepository
from license_server.products import Policy, Product
from license_server.repository.administration import Administration
from license_server.repository.database import Database
from license_server.repository.postgres import PostgresLicenses
from license_server.repository.sqlite import SqliteLicenses
from license_server.sealing import Peppers, Sealer
from license_server.service import Answer, LicenseService
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
        admin: the vendor's own way.
    """

    database: Database
    repository: LicenseRepository
    admin: Admin
    service: LicenseService

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
            admin = Admin(Administration(database), peppers, SEALER, ACTOR_CLI)
            vendor = cls(database, repository, admin, service)
            if not await admin.list_products():
                await vendor.sell(PRODUCT)
            yield vendor
        finally:
            await repository.close()

    async def sell(self, code: str, **policy: Any) -> None:
        """Create a product."""
        await self.admin.create_product(Product(code, code, Policy(**policy)), NOW)

    async def issue(
        self, product: str = PRODUCT, email: Email = EMAIL, now: datetime = NOW, **order: Any
    ) -> tuple[str, LicenseKey]:
        """Issue a license; return its id and its key."""
        issued = await self.admin.issue_license(Order(product, email, **order), now)
        return issued.license.license_id, LicenseKey.parse(issued.key)

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
