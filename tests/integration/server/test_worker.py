"""The worker over real databases and real mail servers: each mail once, and none lost."""

import asyncio
import email
import email.policy
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from license_server.admin.jobs import (
    MAIL_LIFE,
    erase_old_content,
    send_expiring_notices,
)
from license_server.admin.licenses import Licenses
from license_server.admin.recovery import RecoveryMailer
from license_server.admin.trials import issue_requested_trial
from license_server.app import build_app
from license_server.codes import Code
from license_server.errors import DeliveryFailed
from license_server.license_keys import LicenseKey
from license_server.licenses import Kind
from license_server.logs import AccessLog
from license_server.mail.delivery import MailWay, deliver_mail
from license_server.mail.sending import MailFolder, SmtpServer
from license_server.mail.writing import MailWriter
from license_server.orders import Order
from license_server.repository.transaction import SqlRepository
from license_server.self_service import SelfService
from license_server.stores import Backlog, OutboxEntry, OutboxKind
from license_server.throttle import BoundedMemory
from license_server.worker import CLAIM, WAITS, Duties, Job, Worker
from support.admin_api import Clock
from support.licensed_vendor import Vendor
from support.licensing import DAY, EMAIL, NOW, OTHER_EMAIL, a_limiter
from support.mail_server import read_mail, running_mail_server

pytestmark = pytest.mark.anyio

PUBLIC_URL = "https://licenses.example"


class Shop:
    """A vendor's server with its customers' endpoints and its worker."""

    def __init__(self, vendor: Vendor, folder: Path, way: MailWay | None = None) -> None:
        self.vendor = vendor
        self.clock = Clock()
        self.folder = folder
        self.repository = SqlRepository(vendor.database)
        deliver = partial(
            deliver_mail, MailWriter("shop@vendor.example"), way or MailFolder(folder), self.clock
        )
        self.duties = Duties(
            deliveries={OutboxKind.MAIL: deliver},
            works={
                OutboxKind.TRIAL: issue_requested_trial,
                OutboxKind.RECOVERY: RecoveryMailer(PUBLIC_URL),
            },
            jobs=(Job("notices", timedelta(hours=1), send_expiring_notices),),
        )
        self.worker = Worker(self.repository, vendor.vault, self.duties, self.clock)
        throttle = a_limiter(BoundedMemory(lambda: 0.0))
        customers = SelfService(self.repository, vendor.vault, throttle, self.clock)
        self.app = build_app(
            vendor.service,
            throttle,
            now=self.clock,
            access_log=AccessLog(self.clock, None),
            further=customers.routes(),
            links=customers.link_handlers(),
        )

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
            return await client.request(method, path, **options)

    async def ask_for(self, what: str, address: str, product: str = "db-api") -> httpx.Response:
        return await self.request(
            "POST", f"/v1/{what}", json={"email": address, "product": product}
        )

    async def drain(self) -> None:
        while await self.worker.drain_once():
            pass

    def mails(self) -> list[EmailMessage]:
        """Return the delivered mails, by their subjects."""
        if not self.folder.exists():
            return []
        read = [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in self.folder.glob("*.eml")
        ]
        return sorted(read, key=lambda mail: str(mail["Subject"]))

    async def states(self) -> list[tuple[str, str, bool, int]]:
        rows = await self.vendor.rows(
            "SELECT kind, state, payload_sealed IS NULL, attempts FROM outbox ORDER BY kind, state"
        )
        return [(kind, state, bool(erased), attempts) for kind, state, erased, attempts in rows]


@pytest.fixture
def shop(vendor: Vendor, tmp_path: Path) -> Shop:
    return Shop(vendor, tmp_path / "mail")


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def key_in(mail: EmailMessage) -> LicenseKey:
    found = re.search(r"LIC-[0-9A-Z-]{35}", text_of(mail))
    assert found is not None
    return LicenseKey.parse(found[0])


async def test_a_mailed_key_works_and_is_then_in_no_table(shop: Shop) -> None:
    async with shop.vendor.desk() as desk:
        await Licenses(desk).issue(Order("db-api", EMAIL), mails_key=True)
    await shop.drain()
    [mail] = shop.mails()
    assert (mail["To"], mail["From"]) == (EMAIL.address, "shop@vendor.example")
    assert mail["Auto-Submitted"] == "auto-generated"
    html = mail.get_body(("html",))
    assert html is not None
    assert key_in(mail).symbols[:5] in str(html.get_content())
    assert (await shop.vendor.ask(key_in(mail))).valid
    assert await shop.states() == [("mail", "done", True, 1)]
    assert {path.stat().st_mode & 0o777 for path in shop.folder.iterdir()} == {0o600}


async def test_the_backlog_tells_for_how_long_an_entry_has_been_due(shop: Shop) -> None:
    async with shop.vendor.desk() as desk:
        assert await desk.transaction.outbox.backlog() == Backlog(0)
        await Licenses(desk).issue(Order("db-api", EMAIL), mails_key=True)
    async with shop.vendor.desk() as desk:
        backlog = await desk.transaction.outbox.backlog()
    assert backlog == Backlog(1, NOW)
    assert backlog.late(NOW - DAY) == timedelta()
    assert backlog.late(NOW + DAY) == DAY
    await shop.drain()
    async with shop.vendor.desk() as desk:
        assert await desk.transaction.outbox.backlog() == Backlog(0)


async def test_whoever_asks_for_whatever_gets_the_same_answer(shop: Shop) -> None:
    await shop.vendor.issue()
    answers = [
        await shop.ask_for(what, address, product)
        for what in ("trials", "recovery")
        for address in (EMAIL.address, "nobody@example.com")
        for product in ("db-api", "nothing")
    ]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    headers = [dict(answer.headers) | {"x-request-id": ""} for answer in answers]
    assert all(one == headers[0] for one in headers)
    assert {state for _, state, _, _ in await shop.states()} == {"pending"}


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{}", 400), (b"[]", 400), (b'{"email":"x","product":"db-api"}', 400),
     (b'{"email":"a@b.example","product":"A B"}', 400), (b" " * 20_000, 413)],
)  # fmt: skip
async def test_what_is_no_request_is_refused_and_not_noted(
    shop: Shop, content: bytes, status: int
) -> None:
    headers = {"Content-Type": "application/json"}
    response = await shop.request("POST", "/v1/trials", content=content, headers=headers)
    assert response.status_code == status
    assert await shop.states() == []


async def test_a_trial_comes_by_mail_once_an_email(shop: Shop) -> None:
    for _ in range(2):
        await shop.ask_for("trials", "Ada@Example.com")
    await shop.drain()
    key_mail, refusal = shop.mails()
    assert "trial key" in key_mail["Subject"]
    assert (await shop.vendor.ask(key_in(key_mail))).status == "trial"
    assert "had one" in text_of(refusal).replace("\n", " ")
    assert len(await shop.vendor.list_ids()) == 1


async def test_nobody_can_fill_a_mailbox(shop: Shop) -> None:
    for _ in range(10):
        assert (await shop.ask_for("recovery", EMAIL.address)).status_code == 202
    assert len(await shop.states()) == 3
    for number in range(30):
        assert (await shop.ask_for("trials", f"n{number}@example.com")).status_code == 202
    assert len(await shop.states()) == 3 + 10  # all twenty requests count, sent or not


async def test_a_recovery_link_gives_a_new_key_once_and_only_by_its_button(shop: Shop) -> None:
    license_id, old = await shop.vendor.issue()
    await shop.ask_for("recovery", EMAIL.address)
    await shop.drain()
    [mail] = shop.mails()
    found = re.search(rf"{PUBLIC_URL}(/v1/recovery/\w+)", text_of(mail))
    assert found is not None
    link = found[1]
    unknown = await shop.request("GET", "/v1/recovery/unknown")
    for page in [await shop.request("GET", link) for _ in range(2)]:
        assert (page.status_code, page.content) == (200, unknown.content)
        assert "form-action 'self'" in page.headers["content-security-policy"]
    made = await shop.request("POST", link)
    found = re.search(r"LIC-[0-9A-Z-]{35}", made.text)
    assert found is not None
    new = LicenseKey.parse(found[0])
    assert (await shop.vendor.ask(new)).valid
    assert (await shop.vendor.ask(old)).warnings == ("KEY_SUPERSEDED",)
    again = await shop.request("POST", link)
    assert (again.status_code, "LIC-" in again.text) == (404, False)
    assert (await shop.vendor.show(license_id)).key_hint == new.hint


@pytest.mark.parametrize("ending", ["time", "transfer", "unknown"])
async def test_a_recovery_link_ends(shop: Shop, ending: str) -> None:
    license_id, _ = await shop.vendor.issue()
    await shop.ask_for("recovery", EMAIL.address)
    await shop.drain()
    found = re.search(r"/v1/recovery/\w+", text_of(shop.mails()[0]))
    assert found is not None
    link = found[0]
    if ending == "time":
        shop.clock.now = NOW + timedelta(minutes=15)
    elif ending == "transfer":
        async with shop.vendor.desk() as desk:
            await Licenses(desk).transfer(license_id, OTHER_EMAIL)
    else:
        link = f"{link}0"
    assert (await shop.request("POST", link)).status_code == 404


async def test_an_address_without_a_license_gets_no_mail(shop: Shop) -> None:
    await shop.vendor.issue()
    await shop.ask_for("recovery", OTHER_EMAIL.address)
    await shop.ask_for("recovery", EMAIL.address, "another")
    await shop.ask_for("trials", EMAIL.address, "another")
    await shop.drain()
    assert shop.mails() == []
    assert {state for _, state, _, _ in await shop.states()} == {"done"}


async def test_several_workers_send_each_mail_once(shop: Shop) -> None:
    async with shop.vendor.desk() as desk:
        for _ in range(25):
            await Licenses(desk).issue(Order("db-api", EMAIL), mails_key=True)
    others = [
        Worker(SqlRepository(shop.vendor.database), shop.vendor.vault, shop.duties, shop.clock)
        for _ in range(3)
    ]
    for _ in range(3):
        await asyncio.gather(*(worker.drain_once() for worker in others))
    assert len(shop.mails()) == 25
    assert await shop.states() == [("mail", "done", True, 1)] * 25


class DeafWay:
    """A mail server that takes nothing, as often as told."""

    def __init__(self, *, is_final: bool = False) -> None:
        self.tries = 0
        self._is_final = is_final

    async def send(self, _message: EmailMessage, _entry_id: str) -> None:
        self.tries += 1
        raise DeliveryFailed("the mail server answered 451", is_final=self._is_final)


async def test_what_fails_is_tried_ten_times_in_three_days_and_then_given_up(
    vendor: Vendor, tmp_path: Path
) -> None:
    way = DeafWay()
    shop = Shop(vendor, tmp_path, way)
    async with vendor.desk() as desk:
        await Licenses(desk).issue(Order("db-api", EMAIL), mails_key=True)
    for wait in (timedelta(), *WAITS):
        shop.clock.now += wait
        assert await shop.worker.drain_once() == 1
        assert await shop.worker.drain_once() == 0
    assert way.tries == 10
    assert shop.clock.now - NOW < timedelta(days=3)
    [(state, error)] = await vendor.rows("SELECT state, error FROM outbox")
    assert (state, error) == ("failed", "the mail server answered 451")


async def test_a_refused_recipient_is_given_up_at_once(vendor: Vendor, tmp_path: Path) -> None:
    way = DeafWay(is_final=True)
    shop = Shop(vendor, tmp_path, way)
    async with vendor.desk() as desk:
        await Licenses(desk).issue(Order("db-api", EMAIL), mails_key=True)
    await shop.drain()
    assert (way.tries, [state for _, state, _, _ in await shop.states()]) == (1, ["failed"])


async def test_what_a_dead_worker_had_taken_is_done_by_another(shop: Shop) -> None:
    async with shop.vendor.desk() as desk:
        await Licenses(desk).issue(Order("db-api", EMAIL), mails_key=True)
    async with shop.repository.transaction() as transaction:
        taken = await transaction.outbox.claim(NOW, NOW + CLAIM, 10)
    assert len(taken) == 1
    assert await shop.worker.drain_once() == 0
    shop.clock.now += CLAIM
    assert await shop.worker.drain_once() == 1
    assert len(shop.mails()) == 1


async def test_undelivered_mail_is_erased_after_three_days(vendor: Vendor, tmp_path: Path) -> None:
    shop = Shop(vendor, tmp_path, DeafWay())
    async with vendor.desk() as desk:
        await Licenses(desk).issue(Order("db-api", EMAIL), mails_key=True)
    await shop.worker.drain_once()
    async with vendor.desk(NOW + MAIL_LIFE + timedelta(seconds=1)) as desk:
        await erase_old_content(desk)
    assert await shop.states() == [("mail", "failed", True, 1)]


async def test_owners_hear_of_an_end_once_for_each_notice(shop: Shop) -> None:
    await shop.vendor.issue(lasts=30 * DAY)
    await shop.vendor.issue(email=OTHER_EMAIL)
    subjects = []
    for day in range(40):
        shop.clock.now = NOW + day * DAY
        for _ in range(2):
            await shop.worker.do_jobs()
            await shop.drain()
        subjects.append(len(shop.mails()))
    changes = [day for day in range(1, 40) if subjects[day] > subjects[day - 1]]
    assert changes == [16, 27, 30]
    assert {mail["To"] for mail in shop.mails()} == {EMAIL.address}


async def test_a_job_is_done_by_one_of_several_workers(shop: Shop) -> None:
    done: list[datetime] = []

    async def note(desk: Any) -> None:
        done.append(desk.now)

    duties = Duties({}, {}, (Job("once", DAY, note),))
    workers = [
        Worker(SqlRepository(shop.vendor.database), shop.vendor.vault, duties, shop.clock)
        for _ in range(4)
    ]
    await asyncio.gather(*(worker.do_jobs() for worker in workers))
    assert len(done) == 1
    shop.clock.now += DAY
    await workers[0].do_jobs()
    assert len(done) == 2


def an_entry() -> OutboxEntry:
    entry: Mapping[str, Any] = {
        "entry_id": "out_1", "kind": OutboxKind.MAIL, "topic": "license_key", "subject": None,
        "payload_sealed": None, "state": "pending", "attempts": 1, "created_at": NOW, "due_at": NOW,
    }  # fmt: skip
    return OutboxEntry(**entry)


def a_key_mail(address: str) -> dict[str, object]:
    return {"to": address, "product": 'A <b>"Product"</b>', "kind": "paid", "key": "LIC-1",
            "email": address, "expires_on": None}  # fmt: skip


async def test_a_real_mail_server_gets_what_was_written() -> None:
    with running_mail_server() as (mailbox, port):
        way = SmtpServer("127.0.0.1", port, "none")
        writer = MailWriter("shop@vendor.example")
        await deliver_mail(writer, way, lambda: NOW, an_entry(), a_key_mail("ada@example.com"))
        with pytest.raises(DeliveryFailed, match="550") as refused:
            await deliver_mail(writer, way, lambda: NOW, an_entry(), a_key_mail("nobody@x.example"))
        assert refused.value.is_final
    [envelope] = mailbox.taken
    assert envelope.rcpt_tos == ["ada@example.com"]
    html = read_mail(envelope).get_body(("html",))
    assert html is not None
    assert "A &lt;b&gt;" in str(html.get_content())
    with pytest.raises(DeliveryFailed, match="cannot be used") as away:
        await deliver_mail(writer, way, lambda: NOW, an_entry(), a_key_mail("ada@example.com"))
    assert not away.value.is_final


async def test_a_mail_server_without_tls_is_not_trusted_with_keys() -> None:
    with running_mail_server() as (_, port):
        way = SmtpServer("127.0.0.1", port, "starttls")
        with pytest.raises(DeliveryFailed, match="cannot be used"):
            await deliver_mail(
                MailWriter("a@b.example"), way, lambda: NOW, an_entry(), a_key_mail("a@c.example")
            )


def test_no_name_of_a_product_writes_headers() -> None:
    content = a_key_mail("ada@example.com") | {"product": "x\r\nBcc: eve@example.com\r\n"}
    mail = MailWriter("shop@vendor.example").write("license_key", content, "out_1", NOW)
    assert mail["Bcc"] is None
    assert "\n" not in str(mail["Subject"])


async def test_a_trial_that_was_asked_for_ends_like_any_other(shop: Shop) -> None:
    await shop.ask_for("trials", EMAIL.address)
    await shop.drain()
    key = key_in(shop.mails()[0])
    assert (await shop.vendor.ask(key)).valid
    assert (await shop.vendor.ask(key, now=NOW + 15 * DAY)).code is Code.TRIAL_EXPIRED
    [license_id] = await shop.vendor.list_ids()
    assert (await shop.vendor.show(license_id)).license.kind is Kind.TRIAL
