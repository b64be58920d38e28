"""Paddle Billing: https://developer.paddle.com/webhooks/signature-verification."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from license_server.errors import CredentialInvalid
from license_server.payments.events import (
    Content,
    Event,
    Ignored,
    Item,
    Purchase,
    Renewal,
    Withdrawal,
)
from license_server.payments.reading import Reader, require_recent, require_signature

PROVIDER: Final = "paddle"
_HEADER: Final = "paddle-signature"


def read(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> Event:
    """Verify a message and return what it means.

    Raises:
        CredentialInvalid: the signature is missing, too old or not good.
        MalformedJson: the body is no JSON object.
        InvalidField: a member that is needed is missing or malformed.
    """
    fields = [part.strip().partition("=") for part in headers.get(_HEADER, "").split(";")]
    signed_at = [value for name, _, value in fields if name == "ts"]
    if len(signed_at) != 1:
        raise CredentialInvalid("the header Paddle-Signature with one ts is expected")
    given = [value for name, _, value in fields if name == "h1"]
    require_signature(secrets, signed_at[0].encode() + b":" + body, given)
    require_recent(signed_at[0], now)
    message = Reader.of(body)
    kind = message.required("event_type")
    return Event(
        PROVIDER, message.required("event_id"), kind, _content(kind, message.child("data"))
    )


def _content(kind: str, data: Reader) -> Content | Ignored:
    if kind == "transaction.completed":
        return _renewal(data) if data.get("origin") == "subscription_recurring" else _purchase(data)
    if kind in {"adjustment.created", "adjustment.updated"} and _is_whole_return(data):
        return Withdrawal(data.required("transaction_id"))
    return Ignored()


def _purchase(transaction: Reader) -> Purchase | Ignored:
    common = transaction.child("custom_data")
    products = {
        item.child("price").text("id"): item.child("price").child("custom_data").product()
        for item in transaction.children("items")
    }
    items = tuple(
        Item(f"{line.required('id')}/{unit}", product)
        for line in transaction.child("details").children("line_items")
        if (product := products.get(line.text("price_id")) or common.product()) is not None
        for unit in range(1, line.units("quantity") + 1)
    )
    if not items:
        return Ignored()
    return Purchase(
        email=common.email("license_email"),
        items=items,
        order_ref=transaction.required("id"),
        subscription_ref=transaction.text("subscription_id"),
        until=transaction.child("billing_period").instant("ends_at"),
    )


def _renewal(transaction: Reader) -> Renewal | Ignored:
    until = transaction.child("billing_period").instant("ends_at")
    subscription = transaction.text("subscription_id")
    if until is None or subscription is None:
        return Ignored()
    return Renewal(until, subscription_ref=subscription)


def _is_whole_return(adjustment: Reader) -> bool:
    return (
        adjustment.get("action") in {"refund", "chargeback"}
        and adjustment.get("status") == "approved"
        and adjustment.get("type") == "full"
    )
