"""What payment providers told, in its tables."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, insert, select

from license_server.repository.rows import to_unix
from license_server.repository.store import Store
from license_server.repository.tables import payment_events, payment_items, payment_references
from license_server.stores import PaidItem


class SqlPayments(Store):
    """The `PaymentStore`; its methods are described there."""

    async def add_event(self, provider: str, event_id: str, type_: str, now: datetime) -> bool:
        """See `PaymentStore`."""
        return await self._add_unless_there(
            payment_events,
            {
                "provider": provider,
                "event_id": event_id,
                "type": type_,
                "received_at": to_unix(now),
            },
        )

    async def has_event(self, provider: str, event_id: str) -> bool:
        """See `PaymentStore`."""
        noted = select(payment_events.c.type).where(
            payment_events.c.provider == provider, payment_events.c.event_id == event_id
        )
        return await self._row(noted) is not None

    async def add_reference(self, provider: str, payment_ref: str, order_ref: str) -> None:
        """See `PaymentStore`."""
        await self._add_unless_there(
            payment_references,
            {"provider": provider, "payment_ref": payment_ref, "order_ref": order_ref},
        )

    async def order_of(self, provider: str, payment_ref: str) -> str | None:
        """See `PaymentStore`."""
        paid = select(payment_references.c.order_ref).where(
            payment_references.c.provider == provider,
            payment_references.c.payment_ref == payment_ref,
        )
        row = await self._row(paid)
        return None if row is None else str(row["order_ref"])

    async def add_item(self, item: PaidItem, now: datetime) -> None:
        """See `PaymentStore`."""
        await self._connection.execute(
            insert(payment_items).values(
                provider=item.provider,
                item_id=item.item_id,
                license_id=item.license_id,
                order_ref=item.order_ref,
                subscription_ref=item.subscription_ref,
                created_at=to_unix(now),
            )
        )

    async def has_item(self, provider: str, item_id: str) -> bool:
        """See `PaymentStore`."""
        return bool(await self._items(provider, payment_items.c.item_id == item_id))

    async def of_order(self, provider: str, order_ref: str) -> Sequence[PaidItem]:
        """See `PaymentStore`."""
        return await self._items(provider, payment_items.c.order_ref == order_ref)

    async def of_subscription(self, provider: str, subscription_ref: str) -> Sequence[PaidItem]:
        """See `PaymentStore`."""
        return await self._items(provider, payment_items.c.subscription_ref == subscription_ref)

    async def _items(self, provider: str, condition: ColumnElement[bool]) -> Sequence[PaidItem]:
        query = select(payment_items).where(payment_items.c.provider == provider, condition)
        return [
            PaidItem(
                provider=row["provider"],
                item_id=row["item_id"],
                license_id=row["license_id"],
                order_ref=row["order_ref"],
                subscription_ref=row["subscription_ref"],
            )
            for row in await self._rows(query.order_by("item_id"))
        ]
