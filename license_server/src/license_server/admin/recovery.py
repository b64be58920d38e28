"""Recovery: an owner who lost a key gets a one-time link by mail, and by it new keys.

A GET of the link changes nothing: mail scanners follow links.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from license_server.admin.licenses import Issued, Licenses
from license_server.admin.mails import mail_recovery_link
from license_server.admin.owners import Owners
from license_server.admin.products import Products
from license_server.desk import Desk
from license_server.emails import Email
from license_server.errors import NotFound
from license_server.license_keys import random_symbols
from license_server.licenses import Standing
from license_server.stores import LicenseRecord, OutboxKind, RecoveryLink

LINK_LIFE: Final = timedelta(minutes=15)
OVERLAP: Final = timedelta(days=7)
"""So long the old keys go on, for deployments that nobody has time to change at once."""

_TOKEN_SYMBOLS: Final = 32  # 160 bits; long enough to be masked in the log of requests
_LABEL: Final = b"recovery-link-v1\0"


async def request_recovery(desk: Desk, email: Email, product: str) -> None:
    """Note that somebody asks; the same is done whoever asks for whatever."""
    content = {"email": email.address, "product": product}
    await desk.post(OutboxKind.RECOVERY, "recovery", content)


class RecoveryMailer:
    """Mails links.

    Args:
        public_url: how customers reach this server.
    """

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url

    async def __call__(self, desk: Desk, request: Mapping[str, Any]) -> None:
        """Mail the link of a noted request, if its email owns a license of its product."""
        email, code = Email(request["email"]), request["product"]
        owner = await Owners(desk).find(email)
        if owner is None or not await _recoverable(desk, owner.owner_id, code):
            return
        product = (await Products(desk).get(code)).product
        token = random_symbols(_TOKEN_SYMBOLS).lower()
        link = RecoveryLink(hash_of_link(token), owner.owner_id, code, desk.now + LINK_LIFE)
        await desk.transaction.recovery.add(link)
        url = f"{self._public_url}/v1/recovery/{token}"
        await mail_recovery_link(desk, owner.owner_id, email, product, url)


async def redeem(desk: Desk, token: str) -> Sequence[Issued]:
    """Replace the keys of the licenses that a link is for, and end the link.

    Raises:
        NotFound: it was used, is over, or never was.
    """
    link = await desk.transaction.recovery.find(hash_of_link(token), desk.now)
    if link is None or link.product is None:
        raise NotFound("this link was used or is over: ask for a new one")
    await desk.transaction.recovery.use(link.hash, desk.now)
    return [
        await Licenses(desk).rotate_key(record.license.license_id, OVERLAP)
        for record in await _recoverable(desk, link.owner_id, link.product)
    ]


def hash_of_link(token: str) -> bytes:
    """Return what stands for a link in the database; 160 random bits need no slow hash."""
    return hashlib.sha256(_LABEL + token.encode("utf-8")).digest()


async def _recoverable(desk: Desk, owner_id: str, product: str) -> Sequence[LicenseRecord]:
    return [
        record
        for record in await Owners(desk).licenses_of(owner_id)
        if record.license.product == product and record.license.standing is not Standing.REVOKED
    ]
