"""What payment providers tell, over real databases: exactly once, and only if it is signed."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import httpx
import pytest

from license_server.app import build_app
from license_server.logs import AccessLog
from license_server.payments.routes import Payments
from license_server.repository.transaction import SqlRepository
from license_server.throttle import BoundedMemory
from support.admin_api import Clock
from support.licensed_vendor import Vendor
from support.licensing import DAY, NOW, a_limiter, unix
from support.payment_events import (
    SECRET,
    Json,
    digest,
    lemon_squeezy_event,
    lemon_squeezy_headers,
    lemon_squeezy_order,
    packed,
    paddle_event,
    paddle_headers,
    paddle_transaction,
    stripe_event,
    stripe_headers,
    stripe_invoice,
    stripe_invoice_payment,
    stripe_session,
)

pytestmark = pytest.mark.anyio

HEADERS: dict[str, Callable[..., dict[str, str]]] = {
    "stripe": stripe_headers,
    "lemon-squeezy": lemon_squeezy_headers,
    "paddle": paddle_headers,
}
PURCHASES: dict[str, Json] = {
    "stripe": stripe_event("checkout.session.completed", stripe_session()),
    "lemon-squeezy": lemon_squeezy_order(),
    "paddle": paddle_event("transaction.completed", paddle_transaction()),
}
SECOND_PURCHASES: dict[str, Json] = {
    "stripe": stripe_event(
        "checkout.session.completed", stripe_session(id="cs_2", payment_intent="pi_2"), "evt_2"
    ),
    "lemon-squeezy": lemon_squeezy_order("1002", first_order_item={"id": 5002, "quantity": 1}),
    "paddle": paddle_event(
        "transaction.completed",
        paddle_transaction(
            id="txn_02",
            details={"line_items": [{"id": "txnitm_02", "price_id": "pri_01", "quantity": 1}]},
        ),
        "evt_02",
    ),
}
REFUNDS: dict[str, Json] = {
    "stripe": stripe_event(
        "charge.refunded", {"id": "ch_1", "refunded": True, "payment_intent": "pi_1"}, "evt_r"
    ),
    "lemon-squeezy": lemon_squeezy_event("order_refunded", "1001", status="refunded"),
    "paddle": paddle_event(
        "adjustment.updated",
        {"id": "adj_1", "action": "refund", "type": "full", "status": "approved",
         "transaction_id": "txn_01"},
        "evt_r",
    ),
}  # fmt: skip
PARTIAL_REFUNDS: dict[str, Json] = {
    "stripe": stripe_event(
        "charge.refunded", {"id": "ch_1", "refunded": False, "payment_intent": "pi_1"}, "evt_p"
    ),
    "lemon-squeezy": lemon_squeezy_event("order_refunded", "1001", status="partial_refund"),
    "paddle": paddle_event(
        "adjustment.updated",
        {"id": "adj_1", "action": "refund", "type": "partial", "status": "approved",
         "transaction_id": "txn_01"},
        "evt_p",
    ),
}  # fmt: skip


class Till:
    """A vendor's server where providers knock."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.clock = Clock()
        repository = SqlRepository(vendor.database)
        secrets = dict.fromkeys(HEADERS, ("an older secret", SECRET))
        payments = Payments(repository, vendor.vault, secrets, self.clock)
        throttle = a_limiter(BoundedMemory(lambda: 0.0))
        self.app = build_app(
            vendor.service,
            throttle,
            now=self.clock,
            access_log=AccessLog(self.clock, None),
            further=payments.routes(),
        )

    async def send(self, provider: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://till") as client:
            return await client.post(f"/v1/payments/{provider}", content=body, headers=headers)

    async def tell(self, provider: str, message: Json, at: datetime | None = None) -> int:
        body = packed(message)
        response = await self.send(provider, body, HEADERS[provider](body, at or self.clock.now))
        return response.status_code

    async def standings(self) -> list[tuple[Any, ...]]:
        rows = await self.vendor.rows(
            "SELECT standing, expires_at FROM licenses ORDER BY issued_at, id"
        )
        return [tuple(row) for row in rows]

    async def mails(self) -> int:
        [(number,)] = await self.vendor.rows("SELECT count(*) FROM outbox WHERE kind = 'mail'")
        return int(number)


@pytest.fixture
def till(vendor: Vendor) -> Till:
    return Till(vendor)


@pytest.fixture(params=HEADERS)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_a_message_that_is_not_well_signed_changes_nothing(till: Till, provider: str) -> None:
    body = packed(PURCHASES[provider])
    good = HEADERS[provider](body, NOW)
    bad = [
        ({}, body),
        (HEADERS[provider](body, NOW, "another secret"), body),
        (good, body + b" "),
        (good, body.replace(b"ada", b"eve").replace(b"Ada", b"Eve")),
        (dict.fromkeys(good, "é"), body),
        (dict.fromkeys(good, "t=,v1=,ts=;h1="), body),
    ]
    for headers, sent in bad:
        raw = {name: value.encode("latin-1") for name, value in headers.items()}
        assert (await till.send(provider, sent, raw)).status_code == 401  # type: ignore[arg-type]  # httpx takes bytes
    assert await till.standings() == []


@pytest.mark.parametrize("provider", ["stripe", "paddle"])
@pytest.mark.parametrize("off", [timedelta(seconds=301), timedelta(seconds=-301)])
async def test_an_old_message_played_back_is_refused(
    till: Till, provider: str, off: timedelta
) -> None:
    assert await till.tell(provider, PURCHASES[provider], NOW + off) == 401
    assert await till.tell(provider, PURCHASES[provider], NOW + off * 0.99) == 200


async def test_two_signed_times_are_none(till: Till) -> None:
    body = packed(PURCHASES["stripe"])
    now, old = unix(NOW), unix(NOW - DAY)
    signature = digest(b"%d." % old + body)
    headers = {"Stripe-Signature": f"t={now},t={old},v1={signature}"}
    assert (await till.send("stripe", body, headers)).status_code == 401


async def test_without_a_secret_nobody_is_listened_to(vendor: Vendor) -> None:
    till = Till(vendor)
    payments = Payments(SqlRepository(vendor.database), vendor.vault, {}, till.clock)
    till.app = build_app(
        vendor.service,
        a_limiter(BoundedMemory(lambda: 0.0), 9),
        now=till.clock,
        access_log=AccessLog(till.clock, None),
        further=payments.routes(),
    )
    assert await till.tell("stripe", PURCHASES["stripe"]) == 404


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 100_000, b'{"id": "x"}', b"{}"])
async def test_a_signed_message_of_another_form_is_refused(
    till: Till, provider: str, body: bytes
) -> None:
    response = await till.send(provider, body, HEADERS[provider](body, NOW))
    assert response.status_code == 400
    assert await till.standings() == []


async def test_a_purchase_issues_and_mails_once_however_often_it_is_told(
    till: Till, provider: str
) -> None:
    told = await asyncio.gather(*(till.tell(provider, PURCHASES[provider]) for _ in range(3)))
    assert set(told) == {200}
    assert await till.tell(provider, PURCHASES[provider]) == 200
    assert len(await till.standings()) == 1
    assert await till.mails() == 1
    actors = await till.vendor.rows("SELECT actor FROM audit_log WHERE action = 'license.issue'")
    assert [row[0] for row in actors] == [provider]


async def test_a_second_purchase_of_one_buyer_gets_a_license_of_its_own(
    till: Till, provider: str
) -> None:
    for purchase in (PURCHASES, SECOND_PURCHASES):
        assert await till.tell(provider, purchase[provider]) == 200
    assert len(await till.standings()) == 2
    owners = await till.vendor.rows("SELECT id FROM owners")
    assert len(owners) == 1


async def test_a_whole_refund_revokes_and_a_partial_one_does_not(till: Till, provider: str) -> None:
    await till.tell(provider, PURCHASES[provider])
    await till.tell(provider, SECOND_PURCHASES[provider])
    assert await till.tell(provider, PARTIAL_REFUNDS[provider]) == 200
    assert sorted(row[0] for row in await till.standings()) == ["active", "active"]
    for _ in range(2):
        assert await till.tell(provider, REFUNDS[provider]) == 200
    assert sorted(row[0] for row in await till.standings()) == ["active", "revoked"]


async def test_a_refund_that_is_told_before_its_purchase_holds(till: Till, provider: str) -> None:
    assert await till.tell(provider, REFUNDS[provider]) == 200
    assert await till.tell(provider, PURCHASES[provider]) == 200
    assert await till.standings() == []


@pytest.mark.parametrize("order", list(permutations(("purchase", "payment", "refund"))))
async def test_a_refund_of_a_subscription_revokes_in_whatever_order_it_is_told(
    till: Till, order: tuple[str, ...]
) -> None:
    """Since API 2025-03-31 a charge names its payment, and a subscription's session its invoice."""
    session = stripe_session(payment_intent=None, invoice="in_1", subscription="sub_1")
    told = {
        "purchase": stripe_event("checkout.session.completed", session, "evt_p"),
        "payment": stripe_event("invoice_payment.paid", stripe_invoice_payment(), "evt_i"),
        "refund": stripe_event(
            "charge.refunded", {"id": "ch_1", "refunded": True, "payment_intent": "pi_1"}, "evt_r"
        ),
    }
    for name in order:
        assert await till.tell("stripe", told[name]) == 200
    assert await till.standings() in ([("revoked", None)], [])
    assert await till.tell("stripe", told["payment"]) == 200


async def test_a_refund_of_another_invoice_revokes_nothing(till: Till) -> None:
    session = stripe_session(payment_intent=None, invoice="in_1", subscription="sub_1")
    await till.tell("stripe", stripe_event("checkout.session.completed", session, "evt_p"))
    later = stripe_invoice_payment(invoice="in_2", payment={"payment_intent": "pi_2"})
    await till.tell("stripe", stripe_event("invoice_payment.paid", later, "evt_i"))
    refund = {"id": "ch_2", "refunded": True, "payment_intent": "pi_2"}
    await till.tell("stripe", stripe_event("charge.refunded", refund, "evt_r"))
    assert await till.standings() == [("active", None)]


async def test_a_dispute_revokes(till: Till) -> None:
    await till.tell("stripe", PURCHASES["stripe"])
    dispute = {"id": "dp_1", "charge": "ch_1", "payment_intent": "pi_1"}
    await till.tell("stripe", stripe_event("charge.dispute.created", dispute, "evt_d"))
    assert await till.standings() == [("revoked", None)]


async def test_a_session_that_is_not_paid_yet_waits_for_its_payment(till: Till) -> None:
    waiting = stripe_session(payment_status="unpaid")
    await till.tell("stripe", stripe_event("checkout.session.completed", waiting, "evt_a"))
    assert await till.standings() == []
    paid = stripe_event("checkout.session.async_payment_succeeded", stripe_session(), "evt_b")
    await till.tell("stripe", paid)
    await till.tell("stripe", PURCHASES["stripe"])
    assert len(await till.standings()) == 1


async def test_what_is_not_about_a_license_is_taken_and_left(till: Till) -> None:
    for number, thing in enumerate((stripe_session(metadata={}), {"object": "customer"})):
        event = stripe_event("checkout.session.completed", thing, f"evt_{number}")
        assert await till.tell("stripe", event) == 200
    assert await till.tell("stripe", stripe_event("customer.created", {}, "evt_c")) == 200
    assert await till.standings() == []


async def test_an_unknown_product_is_told_to_the_provider(till: Till) -> None:
    session = stripe_session(metadata={"license_product": "nothing"})
    event = stripe_event("checkout.session.completed", session)
    assert await till.tell("stripe", event) == 404
    await till.vendor.sell("nothing")
    assert await till.tell("stripe", event) == 200
    assert len(await till.standings()) == 1


async def test_a_subscription_renews_to_the_end_of_what_is_paid(till: Till) -> None:
    await till.vendor.sell("monthly", validity=31 * DAY)
    metadata = {"license_product": "monthly"}
    session = stripe_session(
        mode="subscription", subscription="sub_1", payment_intent=None, invoice="in_1",
        metadata=metadata,
    )  # fmt: skip
    until = unix(NOW + 62 * DAY)
    invoice = stripe_event("invoice.paid", stripe_invoice(until), "evt_i")
    assert await till.tell("stripe", invoice) == 409
    await till.tell("stripe", stripe_event("checkout.session.completed", session))
    assert await till.standings() == [("active", unix(NOW + 31 * DAY))]
    for _ in range(2):
        assert await till.tell("stripe", invoice) == 200
    assert await till.standings() == [("active", until)]
    earlier = stripe_event("invoice.paid", stripe_invoice(until - 86_400), "evt_e")
    assert await till.tell("stripe", earlier) == 200
    assert await till.standings() == [("active", until)]


async def test_a_subscription_at_lemon_squeezy_renews(till: Till) -> None:
    await till.vendor.sell("monthly", validity=31 * DAY)
    order = lemon_squeezy_order()
    order["meta"]["custom_data"] = {"license_product": "monthly"}
    await till.tell("lemon-squeezy", order)
    update = lemon_squeezy_event(
        "subscription_updated", "77", order_id=1001, status="active",
        renews_at="2027-02-01T12:00:00.000000Z",
    )  # fmt: skip
    assert await till.tell("lemon-squeezy", update) == 200
    assert await till.standings() == [("active", unix(datetime.fromisoformat("2027-02-01T12:00Z")))]


async def test_a_subscription_at_paddle_renews(till: Till) -> None:
    period = {"starts_at": "2026-11-23T12:00:00Z", "ends_at": "2026-12-23T12:00:00Z"}
    first = paddle_transaction(subscription_id="sub_01", billing_period=period)
    await till.tell("paddle", paddle_event("transaction.completed", first))
    assert await till.standings() == [("active", unix(NOW + 30 * DAY))]
    later = paddle_transaction(
        id="txn_02", origin="subscription_recurring", subscription_id="sub_01",
        billing_period={**period, "ends_at": "2027-01-23T12:00:00Z"},
    )  # fmt: skip
    assert await till.tell("paddle", paddle_event("transaction.completed", later, "evt_02")) == 200
    assert await till.standings() == [("active", unix(NOW + 61 * DAY))]


async def test_each_unit_of_an_item_gets_a_license(till: Till) -> None:
    lines = {"line_items": [{"id": "txnitm_01", "price_id": "pri_01", "quantity": 3}]}
    event = paddle_event("transaction.completed", paddle_transaction(details=lines))
    await till.tell("paddle", event)
    assert len(await till.standings()) == await till.mails() == 3
