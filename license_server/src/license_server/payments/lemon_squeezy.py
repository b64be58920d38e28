"""Lemon Squeezy: https://docs.lemonsqueezy.com/help/webhooks, "Signing requests".

Its messages have neither a time nor an id: one that is played back is known by its exact bytes.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final

from license_server.payments.events import (
    Content,
    Event,
    Ignored,
    Item,
    Purchase,
    Renewal,
    Withdrawal,
)
from license_server.payments.reading import Reader, require_signature

PROVIDER: Final = "lemon-squeezy"
_HEADER: Final = "x-signature"


def read(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], _now: datetime) -> Event:
    """Verify a message and return what it means.

    Raises:
        CredentialInvalid: the signature is missing or not good.
        MalformedJson: the body is no JSON object.
        InvalidField: a member that is needed is missing or malformed.
    """
    require_signature(secrets, body, [headers.get(_HEADER, "")])
    message = Reader.of(body)
    kind = message.child("meta").required("event_name")
    product = message.child("meta").child("custom_data").product()
    content = Ignored() if product is None else _content(kind, product, message.child("data"))
    return Event(PROVIDER, sha256(body).hexdigest(), kind, content)


def _content(kind: str, product: str, data: Reader) -> Content | Ignored:
    attributes = data.child("attributes")
    if kind == "order_created":
        return _purchase(product, data.required("id"), attributes)
    if kind == "order_refunded":
        is_whole = attributes.get("status") == "refunded"
        return Withdrawal(data.required("id")) if is_whole else Ignored()
    if kind in {"subscription_created", "subscription_updated"}:
        until, order = attributes.instant("renews_at"), attributes.text("order_id")
        is_running = attributes.get("status") in {"active", "on_trial"}
        if is_running and until is not None and order is not None:
            return Renewal(until, order_ref=order)
    return Ignored()


def _purchase(product: str, order: str, attributes: Reader) -> Purchase | Ignored:
    if attributes.get("status") != "paid":
        return Ignored()
    bought = attributes.child("first_order_item")
    item_id = bought.required("id")
    units = range(1, bought.units("quantity") + 1)
    return Purchase(
        email=attributes.email("user_email"),
        items=tuple(Item(f"{item_id}/{unit}", product) for unit in units),
        order_ref=order,
    )
