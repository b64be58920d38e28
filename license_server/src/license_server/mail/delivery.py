"""Delivering the mails of the outbox."""

from collections.abc import Callable, Mapping
from datetime import datetime
from email.message import EmailMessage
from typing import Any, Protocol

from license_server.mail.writing import MailWriter
from license_server.stores import OutboxEntry


class MailWay(Protocol):
    """A way to send a message."""

    async def send(self, message: EmailMessage, entry_id: str, /) -> None:
        """Send a message; one that is sent twice has the same id.

        Raises:
            DeliveryFailed: it was not taken.
        """


async def deliver_mail(
    writer: MailWriter,
    way: MailWay,
    now: Callable[[], datetime],
    entry: OutboxEntry,
    payload: Mapping[str, Any],
) -> None:
    """Write and send the mail of an entry.

    Raises:
        DeliveryFailed: it was not taken.
    """
    await way.send(writer.write(entry.topic, payload, entry.entry_id, now()), entry.entry_id)
