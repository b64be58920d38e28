"""A mail server on loopback that keeps what it takes."""

import email
import email.policy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from support.tcp_forwarder import free_port

ARRIVES_WITHIN_SECONDS: Final = 60


class Mailbox:
    """What the server took; it knows everybody but those whose name begins with `nobody`.

    Attributes:
        taken: the envelopes, oldest first.
    """

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self._changed = threading.Condition()

    def wait_for_mail(self, to: str, number: int = 1) -> EmailMessage:
        """Wait for a mail to an address and return it.

        Args:
            to: the address.
            number: the how manieth it is, from 1.
        """
        with self._changed:
            self._changed.wait_for(lambda: len(self._to(to)) >= number, ARRIVES_WITHIN_SECONDS)
            found = self._to(to)
        assert len(found) >= number, f"{len(found)} mails came to {to}, not {number}"
        return read_mail(found[number - 1])

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name and arguments
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Take or refuse a recipient."""
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        """Take a mail."""
        with self._changed:
            self.taken.append(envelope)
            self._changed.notify_all()
        return "250 taken"

    def _to(self, address: str) -> list[Envelope]:
        return [envelope for envelope in self.taken if address in envelope.rcpt_tos]


def read_mail(envelope: Envelope) -> EmailMessage:
    """Read the mail in an envelope."""
    assert isinstance(envelope.content, bytes)
    return email.message_from_bytes(envelope.content, policy=email.policy.default)


@contextmanager
def running_mail_server() -> Iterator[tuple[Mailbox, int]]:
    """Run a server without TLS; yield what it takes, and its port."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield mailbox, controller.port
    finally:
        controller.stop()
