"""Products in their table."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select, update

from license_server.products import Product
from license_server.repository.rows import Row, product_values, to_product, to_unix
from license_server.repository.store import Store
from license_server.repository.tables import products
from license_server.stores import ProductRecord


class SqlProducts(Store):
    """The `ProductStore`; its methods are described there."""

    async def get(self, code: str) -> ProductRecord | None:
        """See `ProductStore`."""
        row = await self._row(select(products).where(products.c.code == code).with_for_update())
        return None if row is None else _to_record(row)

    async def all(self) -> Sequence[ProductRecord]:
        """See `ProductStore`."""
        return [_to_record(row) for row in await self._rows(select(products).order_by("code"))]

    async def add(self, product: Product, now: datetime) -> None:
        """See `ProductStore`."""
        values = product_values(product) | {"created_at": to_unix(now)}
        await self._connection.execute(insert(products).values(values))

    async def save(self, product: Product) -> None:
        """See `ProductStore`."""
        values = product_values(product) | {"version": products.c.version + 1}
        await self._connection.execute(
            update(products).where(products.c.code == product.code).values(values)
        )


def _to_record(row: Row) -> ProductRecord:
    return ProductRecord(to_product(row), row["version"])
