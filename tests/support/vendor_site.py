"""All of a vendor's service: both listeners over TLS, a PostgreSQL database, a mail server."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from support.mail_server import Mailbox, running_mail_server
from support.servers import RunningServer
from support.tcp_forwarder import free_port
from support.vendor import Vendor, found_vendor

_NO_LIMIT: Final = "1000000"  # one address does all that the tests do


@dataclass(frozen=True, slots=True)
class VendorSite:
    """A vendor whose service runs.

    Attributes:
        vendor: its folder and its commands.
        server: the process.
        mailbox: the mails that it has sent.
        public_url: where customers go.
        admin_url: where the vendor's people go.
    """

    vendor: Vendor
    server: RunningServer
    mailbox: Mailbox
    public_url: str
    admin_url: str


@contextmanager
def serving_site(folder: Path, database_url: str) -> Iterator[VendorSite]:
    """Run the service of a new vendor with one product.

    Args:
        folder: of the vendor; does not exist.
        database_url: of an empty PostgreSQL database.
    """
    port = free_port()  # mails hold links to it, so it is known before it listens
    public_url = f"https://127.0.0.1:{port}"
    with running_mail_server() as (mailbox, smtp_port):
        vendor = found_vendor(
            folder,
            DATABASE_URL=database_url,
            PUBLIC_URL=public_url,
            SMTP_HOST="127.0.0.1",
            SMTP_PORT=str(smtp_port),
            SMTP_SECURITY="none",
            REQUESTS_PER_MINUTE=_NO_LIMIT,
        )
        vendor.create_product()
        with vendor.serving(port) as server:
            admin = server.wait_for_event("server.listening", listener="admin")
            yield VendorSite(vendor, server, mailbox, public_url, admin["url"])
