"""Signing in to the portal: an owner gets a one-time link by mail, which proves the address.

A GET of the link changes nothing: mail scanners follow links.
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from license_server.admin.mails import mail_sign_in_link
from license_server.admin.owners import Owners
from license_server.desk import Desk
from license_server.emails import Email
from license_server.errors import NotFound
from license_server.license_keys import random_symbols
from license_server.stores import OutboxKind, RecoveryLink

LINK_LIFE: Final = timedelta(minutes=15)

_TOKEN_SYMBOLS: Final = 32  # 160 bits; long enough to be masked in the log of requests
_LABEL: Final = b"sign-in-link-v1\0"


async def request_sign_in(desk: Desk, email: Email) -> None:
    """Note that somebody asks; the same is done whoever asks."""
    await desk.post(OutboxKind.SIGN_IN, "sign_in", {"email": email.address})


class SignInMailer:
    """Mails links.

    Args:
        public_url: how customers reach this server.
    """

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url

    async def __call__(self, desk: Desk, request: Mapping[str, Any]) -> None:
        """Mail the link of a noted request, if its email owns something."""
        email = Email(request["email"])
        owner = await Owners(desk).find(email)
        if owner is None:
            return
        token = random_symbols(_TOKEN_SYMBOLS).lower()
        link = RecoveryLink(_hash(token), owner.owner_id, None, desk.now + LINK_LIFE)
        await desk.transaction.recovery.add(link)
        url = f"{self._public_url}/portal/enter/{token}"
        await mail_sign_in_link(desk, owner.owner_id, email, url)


async def redeem_sign_in(desk: Desk, token: str) -> str:
    """Return the id of the owner who got a link, and end the link.

    Raises:
        NotFound: it was used, is over, or never was.
    """
    link = await desk.transaction.recovery.find(_hash(token), desk.now)
    if link is None or link.product is not None:
        raise NotFound("this link was used or is over: ask for a new one")
    await desk.transaction.recovery.use(link.hash, desk.now)
    return link.owner_id


def _hash(token: str) -> bytes:
    return hashlib.sha256(_LABEL + token.encode("utf-8")).digest()
