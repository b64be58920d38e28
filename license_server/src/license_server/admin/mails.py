"""The mails that the vendor's work sends, as entries of the outbox; the worker writes and sends."""

from datetime import datetime
from typing import Final

from license_server.desk import Desk
from license_server.emails import Email
from license_server.licenses import License
from license_server.stores import OutboxKind

LICENSE_KEY: Final = "license_key"


async def mail_key(desk: Desk, license_: License, email: Email, key: str) -> None:
    """Send a license key to its owner."""
    content = {
        "to": email.address,
        "product": license_.product,
        "kind": license_.kind.value,
        "key": key,
        "expires_at": _date(license_.expires_at),
    }
    await desk.post(OutboxKind.MAIL, LICENSE_KEY, content, subject=license_.license_id)


def _date(instant: datetime | None) -> str | None:
    return None if instant is None else instant.strftime("%Y-%m-%d")
