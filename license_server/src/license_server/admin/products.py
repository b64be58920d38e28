"""Products and their policies."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import timedelta

from license_server.audit import State
from license_server.desk import Desk
from license_server.errors import NotFound, StateConflict
from license_server.products import Product, require_sound
from license_server.stores import ProductRecord


class Products:
    """Creates and changes products.

    Args:
        desk: where the work is done.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._store = desk.transaction.products

    async def create(self, product: Product) -> ProductRecord:
        """Add a product.

        Raises:
            InvalidField: members of it that nobody could live with.
            StateConflict: its code is taken.
        """
        require_sound(product)
        if await self._store.get(product.code):
            raise StateConflict(f"there is a product {product.code} already")
        await self._store.add(product, self._desk.now)
        await self._desk.record("product.create", product.code, None, _state(product))
        return ProductRecord(product, 1)

    async def get(self, code: str) -> ProductRecord:
        """Return a product.

        Raises:
            NotFound: there is none of this code.
        """
        record = await self._store.get(code)
        if record is None:
            raise NotFound(f"there is no product {code}: create it first")
        return record

    async def all(self) -> Sequence[ProductRecord]:
        """Return all products, by code."""
        return await self._store.all()

    async def change(self, record: ProductRecord, changed: Product) -> ProductRecord:
        """Store another name or policy; no license's status depends on either.

        Raises:
            InvalidField: members of it that nobody could live with.
        """
        require_sound(changed)
        before, after = _state(record.product), _state(changed)
        if before == after:
            return record
        await self._store.save(changed)
        names = [name for name in after if before[name] != after[name]]
        await self._desk.record(
            "product.change",
            changed.code,
            {name: before[name] for name in names},
            {name: after[name] for name in names},
        )
        return replace(record, product=changed, version=record.version + 1)


def _state(product: Product) -> State:
    """Return what the audit log tells of a product."""
    names = [member.name for member in fields(product.policy)]
    return {"name": product.name} | {name: _plain(getattr(product.policy, name)) for name in names}


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, Mapping):
        return dict(value)
    return value
