"""Stripe: https://docs.stripe.com/webhooks, "Verify webhook signatures manually"."""

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
    Reference,
    Renewal,
    Withdrawal,
)
from license_server.payments.reading import Reader, require_recent, require_signature

PROVIDER: Final = "stripe"
_HEADER: Final = "stripe-signature"


def read(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> Event:
    """Verify a message and return what it means.

    Raises:
        CredentialInvalid: the signature is missing, too old or not good.
        MalformedJson: the body is no JSON object.
        InvalidField: a member that is needed is missing or malformed.
    """
    fields = [part.strip().partition("=") for part in headers.get(_HEADER, "").split(",")]
    signed_at = [value for name, _, value in fields if name == "t"]
    if len(signed_at) != 1:
        raise CredentialInvalid("the header Stripe-Signature with one t is expected")
    given = [value for name, _, value in fields if name == "v1"]
    require_signature(secrets, signed_at[0].encode() + b"." + body, given)
    require_recent(signed_at[0], now)
    message = Reader.of(body)
    kind = message.required("type")
    content = _content(kind, message.child("data").child("object"))
    return Event(PROVIDER, message.required("id"), kind, content)


def _content(kind: str, thing: Reader) -> Content | Ignored:
    if kind in {"checkout.session.completed", "checkout.session.async_payment_succeeded"}:
        return _purchase(thing)
    if kind == "invoice.paid":
        return _renewal(thing)
    if kind == "invoice_payment.paid":
        return _reference(thing)
    is_whole_refund = kind == "charge.refunded" and thing.get("refunded") is True
    if is_whole_refund or kind == "charge.dispute.created":
        order = thing.text("invoice") or thing.text("payment_intent")
        return Ignored() if order is None else Withdrawal(order)
    return Ignored()


def _purchase(session: Reader) -> Purchase | Ignored:
    product = session.child("metadata").product()
    if product is None or session.get("payment_status") == "unpaid":
        return Ignored()
    session_id = session.required("id")
    order = session.text("payment_intent") or session.text("invoice") or session_id
    return Purchase(
        email=session.child("customer_details").email("email"),
        items=(Item(session_id, product),),
        order_ref=order,
        subscription_ref=session.text("subscription"),
    )


def _renewal(invoice: Reader) -> Renewal | Ignored:
    """Read a paid invoice, of the API before and since the version 2025-03-31."""
    parent = invoice.child("parent").child("subscription_details")
    details = parent if parent.text("subscription") else invoice.child("subscription_details")
    subscription = parent.text("subscription") or invoice.text("subscription")
    if subscription is None or details.child("metadata").product() is None:
        return Ignored()
    ends = [line.child("period").instant("end") for line in invoice.child("lines").children("data")]
    until = max((end for end in ends if end is not None), default=None)
    return Ignored() if until is None else Renewal(until, subscription_ref=subscription)


def _reference(paid: Reader) -> Reference | Ignored:
    """Read which payment paid an invoice; since API 2025-03-31 a charge does not name it."""
    payment, invoice = paid.child("payment").text("payment_intent"), paid.text("invoice")
    return Ignored() if payment is None or invoice is None else Reference(payment, invoice)
