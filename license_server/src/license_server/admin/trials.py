"""Trials that people ask for themselves: the key goes by mail, which proves the address."""

from collections.abc import Mapping
from typing import Any

from license_server.admin.licenses import Licenses
from license_server.admin.mails import mail_trial_refusal
from license_server.admin.products import Products
from license_server.desk import Desk
from license_server.emails import Email
from license_server.errors import NotFound, StateConflict
from license_server.licenses import Kind
from license_server.orders import Order
from license_server.stores import OutboxKind


async def request_trial(desk: Desk, email: Email, product: str) -> None:
    """Note that somebody asks; the same is done whoever asks for whatever."""
    content = {"email": email.address, "product": product}
    await desk.post(OutboxKind.TRIAL, "trial", content)


async def issue_requested_trial(desk: Desk, request: Mapping[str, Any]) -> None:
    """Issue and mail the trial of a noted request, or mail that there is none."""
    email, code = Email(request["email"]), request["product"]
    try:
        product = (await Products(desk).get(code)).product
    except NotFound:
        return
    try:
        await Licenses(desk).issue(Order(code, email, Kind.TRIAL), mails_key=True)
    except StateConflict:
        await mail_trial_refusal(desk, email, product)
