"""What a payment changes: exactly once, whatever is told twice or out of order.

A message is noted by its id in the transaction that does what it asks for; a line item that has
its license never gets a second one. What was paid back before the purchase was told is remembered.
"""

from collections.abc import Sequence
from typing import Final

from license_server.admin.licenses import Licenses
from license_server.desk import Desk
from license_server.errors import StateConflict
from license_server.licenses import Change, Standing
from license_server.orders import Order
from license_server.payments.events import Event, Purchase, Reference, Renewal, Withdrawal
from license_server.stores import PaidItem

_WITHDRAWN: Final = "withdrawn"


async def take(desk: Desk, event: Event) -> None:
    """Do what a message asks for, unless it was done before.

    Raises:
        NotFound: the vendor's metadata names a product that there is not.
        StateConflict: it is about a purchase that was not told yet: the provider comes again.
    """
    store = desk.transaction.payments
    if not await store.add_event(event.provider, event.event_id, event.type, desk.now):
        return
    content = event.content
    if isinstance(content, Purchase):
        await _issue(desk, event.provider, content)
    elif isinstance(content, Renewal):
        await _renew(desk, event.provider, content)
    elif isinstance(content, Withdrawal):
        await _withdraw(desk, event.provider, content.order_ref)
    elif isinstance(content, Reference):
        await _refer(desk, event.provider, content)


async def _issue(desk: Desk, provider: str, purchase: Purchase) -> None:
    store, licenses = desk.transaction.payments, Licenses(desk)
    if await store.has_event(provider, _withdrawal_id(purchase.order_ref)):
        return
    for item in purchase.items:
        if await store.has_item(provider, item.item_id):
            continue
        order = Order(item.product, purchase.email, expires_at=purchase.until)
        made = await licenses.issue(order, mails_key=True)
        paid = PaidItem(
            provider=provider,
            item_id=item.item_id,
            license_id=made.view.license.license_id,
            order_ref=purchase.order_ref,
            subscription_ref=purchase.subscription_ref,
        )
        await store.add_item(paid, desk.now)


async def _renew(desk: Desk, provider: str, renewal: Renewal) -> None:
    items = await _named(desk, provider, renewal)
    if not items:
        raise StateConflict("this is about a purchase that was not told yet: send it again later")
    for item in items:
        license_ = (await Licenses(desk).get(item.license_id)).license
        end = license_.expires_at
        is_later = end is not None and renewal.until > max(end, desk.now)
        if is_later and license_.standing is not Standing.REVOKED:
            await Licenses(desk).renew(item.license_id, until=renewal.until)


async def _withdraw(desk: Desk, provider: str, named: str) -> None:
    """Revoke what was bought by an order, which may be named by its payment."""
    store = desk.transaction.payments
    paid = await store.order_of(provider, named)
    for order_ref in (named,) if paid is None else (named, paid):
        await store.add_event(provider, _withdrawal_id(order_ref), _WITHDRAWN, desk.now)
        for item in await store.of_order(provider, order_ref):
            license_ = (await Licenses(desk).get(item.license_id)).license
            if license_.standing is not Standing.REVOKED:
                await Licenses(desk).change_standing(item.license_id, Change.REVOKE)


async def _refer(desk: Desk, provider: str, reference: Reference) -> None:
    store = desk.transaction.payments
    await store.add_reference(provider, reference.payment_ref, reference.order_ref)
    if await store.has_event(provider, _withdrawal_id(reference.payment_ref)):
        await _withdraw(desk, provider, reference.order_ref)


async def _named(desk: Desk, provider: str, renewal: Renewal) -> Sequence[PaidItem]:
    store = desk.transaction.payments
    if renewal.subscription_ref is not None:
        return await store.of_subscription(provider, renewal.subscription_ref)
    return await store.of_order(provider, renewal.order_ref or "")


def _withdrawal_id(order_ref: str) -> str:
    """Return the name of the note that an order was paid back; no provider's id looks so."""
    return f"{_WITHDRAWN}/{order_ref}"
