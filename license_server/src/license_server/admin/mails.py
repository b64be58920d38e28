"""The mails that the vendor's work sends, as entries of the outbox; the worker writes and sends."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from license_server.desk import Desk
from license_server.emails import Email
from license_server.licenses import License
from license_server.products import Product
from license_server.stores import OutboxKind

LICENSE_KEY: Final = "license_key"
EXPIRING: Final = "expiring"
RECOVERY_LINK: Final = "recovery_link"
TRIAL_REFUSED: Final = "trial_refused"
SIGN_IN_LINK: Final = "sign_in_link"
_HINT: Final = 4
TEMPLATES: Final = (LICENSE_KEY, EXPIRING, RECOVERY_LINK, TRIAL_REFUSED, SIGN_IN_LINK)


async def mail_key(desk: Desk, license_: License, product: Product, email: Email, key: str) -> None:
    """Send a license key to its owner."""
    content = {
        "to": email.address,
        "product": product.name,
        "kind": license_.kind.value,
        "key": key,
        "email": email.address,
        "expires_on": _date(license_.expires_at),
    }
    await desk.post(OutboxKind.MAIL, LICENSE_KEY, content, subject=license_.license_id)


async def mail_expiry(
    desk: Desk, license_: License, email: Email, product: Product, notice: timedelta
) -> bool:
    """Tell an owner that a license ends, once for each end and notice; False = it was told."""
    end = license_.expires_at
    content = {
        "to": email.address,
        "product": product.name,
        "kind": license_.kind.value,
        "expires_on": _date(end),
        "is_over": end is not None and end <= desk.now,
    }
    seconds = 0 if end is None else int(end.timestamp())
    return await desk.post(
        OutboxKind.MAIL,
        EXPIRING,
        content,
        subject=license_.license_id,
        dedupe_key=f"expiring/{license_.license_id}/{seconds}/{int(notice.total_seconds())}",
    )


async def mail_recovery_link(
    desk: Desk, owner_id: str, email: Email, product: Product, link: str
) -> None:
    """Send an owner the one-time link that makes new keys."""
    content = {"to": email.address, "product": product.name, "link": link}
    await desk.post(OutboxKind.MAIL, RECOVERY_LINK, content, subject=owner_id)


async def mail_sign_in_link(desk: Desk, owner_id: str, email: Email, link: str) -> None:
    """Send an owner the one-time link that signs in to the portal."""
    content = {"to": email.address, "link": link}
    await desk.post(OutboxKind.MAIL, SIGN_IN_LINK, content, subject=owner_id)


async def mail_trial_refusal(desk: Desk, email: Email, product: Product) -> None:
    """Tell someone who asked for a second trial that there is none."""
    content = {"to": email.address, "product": product.name}
    await desk.post(OutboxKind.MAIL, TRIAL_REFUSED, content)


def masked(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a mail holds without what opens something: its key but for the hint, its link."""
    hidden = {}
    if "key" in content:
        hidden["key"] = f"…{content['key'][-_HINT:]}"
    if "link" in content:
        hidden["link"] = "https://…"
    return {**content, **hidden}


def _date(instant: datetime | None) -> str | None:
    return None if instant is None else instant.strftime("%Y-%m-%d")
