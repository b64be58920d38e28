"""Messages of payment providers, made and signed as each documents it."""

import hmac
import json
from datetime import datetime
from hashlib import sha256
from typing import Any

SECRET = "whsec_of_the_test"

Json = dict[str, Any]


def packed(message: Json) -> bytes:
    """Return a message as it is sent."""
    return json.dumps(message).encode()


def digest(message: bytes, secret: str = SECRET) -> str:
    """Return HMAC-SHA256 in hex."""
    return hmac.new(secret.encode(), message, sha256).hexdigest()


def stripe_headers(body: bytes, at: datetime, secret: str = SECRET) -> dict[str, str]:
    """Return the signature header of Stripe."""
    seconds = int(at.timestamp())
    signature = digest(b"%d." % seconds + body, secret)
    return {"Stripe-Signature": f"t={seconds},v1={'0' * 64},v1={signature},v0=unused"}


def paddle_headers(body: bytes, at: datetime, secret: str = SECRET) -> dict[str, str]:
    """Return the signature header of Paddle."""
    seconds = int(at.timestamp())
    return {"Paddle-Signature": f"ts={seconds};h1={digest(b'%d:' % seconds + body, secret)}"}


def lemon_squeezy_headers(body: bytes, _at: datetime, secret: str = SECRET) -> dict[str, str]:
    """Return the signature header of Lemon Squeezy."""
    return {"X-Signature": digest(body, secret), "X-Event-Name": "whatever"}


def stripe_event(kind: str, thing: Json, event_id: str = "evt_1") -> Json:
    """Return an event of Stripe."""
    return {
        "id": event_id,
        "object": "event",
        "api_version": "2025-03-31.basil",
        "created": 1_700_000_000,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
        "data": {"object": thing},
    }


def stripe_session(**members: Any) -> Json:
    """Return a paid checkout session."""
    return {
        "id": "cs_1",
        "object": "checkout.session",
        "amount_total": 4900,
        "currency": "eur",
        "customer_details": {"email": "Ada@Example.com", "name": "Ada"},
        "invoice": None,
        "metadata": {"license_product": "db-api"},
        "mode": "payment",
        "payment_intent": "pi_1",
        "payment_status": "paid",
        "subscription": None,
        **members,
    }


def stripe_invoice(until: int, **members: Any) -> Json:
    """Return a paid invoice of the subscription `sub_1`."""
    return {
        "id": "in_2",
        "object": "invoice",
        "billing_reason": "subscription_cycle",
        "lines": {"data": [{"id": "il_1", "period": {"start": 1, "end": until}}]},
        "parent": {
            "type": "subscription_details",
            "subscription_details": {
                "subscription": "sub_1",
                "metadata": {"license_product": "db-api"},
            },
        },
        **members,
    }


def stripe_invoice_payment(**members: Any) -> Json:
    """Return the payment of the first invoice of a subscription."""
    return {
        "id": "inpay_1",
        "object": "invoice_payment",
        "amount_paid": 4900,
        "invoice": "in_1",
        "payment": {"payment_intent": "pi_1", "type": "payment_intent"},
        "status": "paid",
        **members,
    }


def lemon_squeezy_event(kind: str, data_id: str, **attributes: Any) -> Json:
    """Return an event of Lemon Squeezy about something of the id `data_id`."""
    return {
        "meta": {
            "event_name": kind,
            "custom_data": {"license_product": "db-api"},
            "test_mode": True,
        },
        "data": {"type": "orders", "id": data_id, "attributes": attributes},
    }


def lemon_squeezy_order(order_id: str = "1001", **attributes: Any) -> Json:
    """Return a paid order."""
    members: Json = {
        "user_email": "Ada@Example.com",
        "status": "paid",
        "currency_rate": 1.0842,
        "first_order_item": {"id": 5001, "product_id": 1, "variant_id": 2, "quantity": 1},
        **attributes,
    }
    return lemon_squeezy_event("order_created", order_id, **members)


def paddle_event(kind: str, data: Json, event_id: str = "evt_01") -> Json:
    """Return an event of Paddle."""
    return {
        "event_id": event_id,
        "event_type": kind,
        "occurred_at": "2026-11-23T12:00:00.000000Z",
        "notification_id": "ntf_01",
        "data": data,
    }


def paddle_transaction(**members: Any) -> Json:
    """Return a completed transaction of one item."""
    return {
        "id": "txn_01",
        "status": "completed",
        "origin": "web",
        "customer_id": "ctm_01",
        "subscription_id": None,
        "billing_period": None,
        "custom_data": {"license_email": "Ada@Example.com"},
        "items": [
            {
                "price": {"id": "pri_01", "custom_data": {"license_product": "db-api"}},
                "quantity": 1,
            }
        ],
        "details": {"line_items": [{"id": "txnitm_01", "price_id": "pri_01", "quantity": 1}]},
        **members,
    }
