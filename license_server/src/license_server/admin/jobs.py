"""What the vendor's work asks for by the clock."""

from datetime import datetime, timedelta
from typing import Final

from license_server.admin.events import announce
from license_server.admin.licenses import Licenses, LicenseView
from license_server.admin.mails import mail_expiry
from license_server.admin.products import Products
from license_server.desk import Desk
from license_server.licenses import Standing
from license_server.products import Product
from license_server.sessions import CUSTOMERS, OPERATORS
from license_server.stores import LicenseFilter, OutboxKind, Position

MAIL_LIFE: Final = timedelta(hours=72)
"""What a mail holds is erased then, delivered or not (contract, "At rest at the server")."""
EVENT_LIFE: Final = timedelta(days=30)
"""How long an event can be sent again."""
IDEMPOTENCY_LIFE: Final = timedelta(hours=24)
COUNTER_LIFE: Final = timedelta(hours=1)
"""After its end; the clock of the database, which ends it, differs by less."""
STALE_AFTER: Final = timedelta(days=90)
"""A deployment of which nothing was heard for so long is archived and gives its seat back."""

_PAGE: Final = 1_000
_LATE: Final = timedelta(days=1)  # a notice is still sent so long after its time, then left out


async def erase_old_content(desk: Desk) -> None:
    """Erase what mails, events, kept answers and sessions held, once over; counters too."""
    outbox = desk.transaction.outbox
    await outbox.erase_payloads(OutboxKind.MAIL, desk.now - MAIL_LIFE)
    await outbox.erase_payloads(OutboxKind.WEBHOOK, desk.now - EVENT_LIFE)
    await desk.transaction.idempotency.forget_before(desk.now - IDEMPOTENCY_LIFE)
    longest = max(OPERATORS.absolute, CUSTOMERS.absolute)
    await desk.transaction.sessions.forget_before(desk.now - longest)
    await desk.transaction.state.forget_counters(desk.now - COUNTER_LIFE)


async def archive_deployments(desk: Desk) -> None:
    """Archive the deployments of which nothing was heard for long."""
    await desk.transaction.deployments.archive_unseen(desk.now - STALE_AFTER, desk.now)


async def send_expiring_notices(desk: Desk) -> None:
    """Tell owners of licenses that end soon, once for each notice of the product's policy."""
    for record in await Products(desk).all():
        product = record.product
        first = max(product.policy.expiring_notices, default=None)
        if first is None:
            continue
        which = LicenseFilter(
            now=desk.now,
            product=product.code,
            expires_after=desk.now - _LATE,
            expires_before=desk.now + first + timedelta(seconds=1),
        )
        await _notify_all(desk, product, which)


async def _notify_all(desk: Desk, product: Product, which: LicenseFilter) -> None:
    after = None
    while views := await Licenses(desk).page(which, after, _PAGE):
        for view in views:
            await _notify(desk, product, view)
        last = views[-1].license
        after = Position(last.issued_at, last.license_id)


async def _notify(desk: Desk, product: Product, view: LicenseView) -> None:
    end = view.license.expires_at
    if end is None or view.email is None or view.license.standing is not Standing.ACTIVE:
        return
    notice = _due_notice(product, end, desk.now)
    if notice is not None and await mail_expiry(desk, view.license, view.email, product, notice):
        await announce(desk, "license.expiring", view)


def _due_notice(product: Product, end: datetime, now: datetime) -> timedelta | None:
    """Return the shortest notice whose time has come: who hears of 3 days needs none of 14."""
    due = [notice for notice in product.policy.expiring_notices if end - notice <= now]
    return min(due, default=None)
