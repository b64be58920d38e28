"""Messages from templates: plain text and HTML, side by side.

A template's plain text begins with its subject. HTML is escaped by default.
"""

from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

_SUBJECT: Final = "Subject: "


class MailWriter:
    """Writes messages.

    Args:
        sender: address in From.
    """

    def __init__(self, sender: str) -> None:
        self._sender = sender
        self._templates = Environment(
            loader=PackageLoader("license_server.mail"),
            autoescape=select_autoescape(("html",)),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def write(
        self, template: str, content: Mapping[str, Any], entry_id: str, now: datetime
    ) -> EmailMessage:
        """Return the message of an outbox entry.

        Args:
            template: name of it.
            content: what it shows; `to` is the recipient.
            entry_id: makes the Message-ID, so that one delivered twice is recognized.
            now: becomes the Date.
        """
        text = self._templates.get_template(f"{template}.txt").render(content)
        first, _, plain = text.partition("\n")
        message = EmailMessage(policy=SMTP)
        message["Subject"] = " ".join(first.removeprefix(_SUBJECT).split())
        message["From"] = self._sender
        message["To"] = Address(addr_spec=content["to"])
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{entry_id}@{self._sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(plain.lstrip("\n"))
        html = self._templates.get_template(f"{template}.html").render(content)
        message.add_alternative(html, subtype="html")
        return message
