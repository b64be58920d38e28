"""The portal over real databases: what customers do of their own, and never of others'."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from functools import partial

import pytest
from starlette.types import Receive, Scope, Send

from license_server.admin.deployments import Deployments
from license_server.admin.licenses import Licenses
from license_server.admin.owners import Owners
from license_server.admin.recovery import RecoveryMailer
from license_server.admin.sign_in_links import LINK_LIFE, SignInMailer
from license_server.admin.trials import issue_requested_trial
from license_server.codes import Code
from license_server.emails import Email
from license_server.errors import NotFound
from license_server.evaluation import Operation
from license_server.license_files import LicenseFileIssuer
from license_server.license_keys import LicenseKey
from license_server.licenses import Change
from license_server.mail.delivery import deliver_mail
from license_server.mail.writing import MailWriter
from license_server.portal.app import Portal
from license_server.portal.own import PAGES
from license_server.repository.database import Database
from license_server.repository.transaction import SqlRepository
from license_server.self_service import SelfService
from license_server.sessions import CUSTOMERS
from license_server.signing import LICENSE_FILE
from license_server.stores import OutboxKind
from license_server.worker import Duties, Worker
from support.admin_api import Clock
from support.browsers import Browser, Shown, browsing
from support.licensed_vendor import Vendor
from support.licensing import (
    EMAIL,
    OTHER_EMAIL,
    SIGNER,
    CountingThrottle,
    a_history,
    key_set,
)

pytestmark = pytest.mark.anyio

ACTIVATE = Operation.ACTIVATE
SESSION = "__Host-portal"
TEN_MINUTES = timedelta(minutes=10)


async def nobody(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise NotFound("there is no such address")


@dataclass
class Inbox:
    """Gets what the worker sends."""

    messages: list[EmailMessage] = field(default_factory=list)

    async def send(self, message: EmailMessage, _entry_id: str) -> None:
        """Take a message."""
        self.messages.append(message)

    def link(self) -> str:
        """Return the path of the link in the newest mail."""
        body = self.messages[-1].get_body(("plain",))
        assert body is not None
        found = re.search(r"https://vendor\.test(/portal/enter/[0-9a-z]{32})\s", body.get_content())
        assert found, body.get_content()
        return found[1]


@dataclass
class Site:
    """A portal, its clock, its mails and its worker."""

    vendor: Vendor
    clock: Clock
    inbox: Inbox
    worker: Worker
    browser: Callable[[], AbstractAsyncContextManager[Browser]]

    async def sign_in(self, browser: Browser, email: Email = EMAIL) -> None:
        """Ask for a link, and use it."""
        await browser.submit("/portal/sign-in", at="/portal/", email=email.address)
        await self.mails()
        link = self.inbox.link()
        assert (await browser.submit(link)).location == "/portal/licenses"

    async def mails(self) -> int:
        """Let the worker work until nothing is left; return how many mails there are."""
        while await self.worker.drain_once():
            pass
        return len(self.inbox.messages)


@pytest.fixture
def database(on_postgres: Database) -> Database:
    """Pages hold no SQL, and what they ask runs on both databases elsewhere."""
    return on_postgres


@pytest.fixture
def throttle() -> CountingThrottle:
    return CountingThrottle(1_000)


@pytest.fixture
def site(vendor: Vendor, throttle: CountingThrottle) -> Site:
    clock, inbox = Clock(), Inbox()
    repository = SqlRepository(vendor.database)
    writer = MailWriter("vendor@vendor.test")

    duties = Duties(
        deliveries={OutboxKind.MAIL: partial(deliver_mail, writer, inbox, clock)},
        works={
            OutboxKind.TRIAL: issue_requested_trial,
            OutboxKind.RECOVERY: RecoveryMailer("https://vendor.test"),
            OutboxKind.SIGN_IN: SignInMailer("https://vendor.test"),
        },
        jobs=(),
    )
    listed = key_set().keys[0].model_copy(update={"use": (LICENSE_FILE,)})
    history = a_history(key_set(keys=(listed,)))
    portal = Portal(
        nobody,
        repository,
        SelfService(repository, vendor.vault, throttle, clock),
        throttle,
        lambda: LicenseFileIssuer(SIGNER, history),
        clock,
    )
    worker = Worker(repository, vendor.vault, duties, clock)
    return Site(vendor, clock, inbox, worker, lambda: browsing(portal, clock))


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[Browser]:
    async with site.browser() as opened:
        yield opened


async def activate(site: Site, key: LicenseKey, instance_id: str = "one") -> Code:
    answer = await site.vendor.ask(key, ACTIVATE, site.clock.now, instance_id=instance_id)
    return answer.code


async def test_the_front_page_says_what_the_server_is(browser: Browser) -> None:
    page = await browser.open("/")
    assert page.heading == "This is a license server"
    assert "/portal/" in page.html
    assert (await browser.open("/portal/")).heading == "Your licenses"


async def test_a_link_by_mail_signs_in_once(site: Site, browser: Browser) -> None:
    license_id, _ = await site.vendor.issue()
    await browser.submit("/portal/sign-in", at="/portal/", email=EMAIL.address)
    assert await site.mails() == 1
    link = site.inbox.link()
    for _ in range(2):  # a scanner of mails follows links
        assert (await browser.open(link)).status == 200
    cookie = (await browser.submit(link)).response.headers["set-cookie"]
    assert cookie.endswith("; Path=/; Secure; HttpOnly; SameSite=Strict")
    assert license_id in (await browser.open("/portal/licenses")).html
    async with site.browser() as thief:
        assert (await thief.submit(link)).status == 404
        assert thief.cookie(SESSION) is None


async def test_a_link_is_over_after_a_while(site: Site, browser: Browser) -> None:
    await site.vendor.issue()
    await browser.submit("/portal/sign-in", at="/portal/", email=EMAIL.address)
    await site.mails()
    site.clock.now += LINK_LIFE
    assert (await browser.submit(site.inbox.link())).status == 404


@pytest.mark.parametrize("form", ["sign-in", "ask-trial", "recover"])
async def test_the_answer_is_the_same_whoever_asks(
    site: Site, browser: Browser, throttle: CountingThrottle, form: str
) -> None:
    await site.vendor.issue()
    answers = set()
    for address in (EMAIL.address, "nobody@example.com", EMAIL.address):
        page = await browser.submit(
            f"/portal/{form}", at="/portal/", email=address, product="db-api"
        )
        answers.add((page.status, page.html))
        if address != EMAIL.address:  # no further mail
            spent = {one: 1_000 for one in throttle.counts if one[0] != "requests"}
            throttle.counts.update(spent)
    [(status, _)] = answers
    assert status == 200
    assert await site.mails() == (2 if form == "ask-trial" else 1)


@pytest.mark.parametrize("form", ["sign-in", "ask-trial", "recover"])
async def test_a_mistyped_address_is_told(browser: Browser, form: str) -> None:
    page = await browser.submit(f"/portal/{form}", at="/portal/", email="bob", product="db-api")
    assert page.status == 400
    assert "exactly one @ is expected" in page.text


async def test_others_licenses_are_not_there(site: Site, browser: Browser) -> None:
    await site.vendor.issue()
    others, key = await site.vendor.issue(email=OTHER_EMAIL)
    await activate_other(site, key)
    await site.sign_in(browser)
    own = (await browser.open("/portal/licenses")).hidden()
    for page in PAGES:
        if "{license_id}" not in page.path:
            continue
        path = f"/portal{page.path.format(license_id=others, instance_id='one')}"
        assert (await browser.open(path)).status == 404, path
        fields = {**own, "reason": "leaked", "instance_id": "one", "license_key": "x"}
        assert (await browser.send(path, fields)).status in {404, 405}, path
    assert others not in (await browser.open("/portal/licenses")).html
    assert await activate_other(site, key) is Code.VALID


async def activate_other(site: Site, key: LicenseKey) -> Code:
    answer = await site.vendor.ask(
        key, ACTIVATE, site.clock.now, email=OTHER_EMAIL, instance_id="one"
    )
    return answer.code


async def test_a_deployment_is_removed_unless_the_vendor_blocked_it(
    site: Site, browser: Browser
) -> None:
    license_id, key = await site.vendor.issue()
    for instance_id in ("one", "two"):
        assert await activate(site, key, instance_id) is Code.VALID
    async with site.vendor.desk(site.clock.now) as desk:
        await Deployments(desk, license_id).block("two")
    await site.sign_in(browser)
    path = f"/portal/licenses/{license_id}"
    moved = await browser.submit(f"{path}/deployments/one/remove")
    assert "is forgotten" in (await browser.open(moved.location)).text
    refused = await browser.submit(f"{path}/deployments/two/remove")
    assert refused.status == 409
    page = (await browser.open(path)).text
    assert "blocked" in page
    assert await activate(site, key, "two") is Code.DEPLOYMENT_BLOCKED


@pytest.mark.parametrize(("reason", "code"), [("lost", Code.VALID), ("leaked", Code.KEY_ROTATED)])
async def test_a_lost_key_goes_on_for_a_while_and_a_leaked_one_ends(
    site: Site, browser: Browser, reason: str, code: Code
) -> None:
    license_id, old = await site.vendor.issue()
    await site.sign_in(browser)
    page = await browser.submit(f"/portal/licenses/{license_id}/key", reason=reason)
    new = LicenseKey.parse(page.secret("key"))
    assert new != old
    site.clock.now += timedelta(seconds=1)
    assert await activate(site, new) is Code.VALID
    assert await activate(site, old) is code


async def test_a_file_is_made_for_who_has_the_key(site: Site, browser: Browser) -> None:
    license_id, key = await site.vendor.issue()
    await site.sign_in(browser)
    path = f"/portal/licenses/{license_id}/file"
    text = key.reveal("LIC")
    file = await browser.submit(path, license_key=text, instance_id="offline-1")
    assert file.html.startswith("-----BEGIN LICENSE FILE-----")
    _, other = await site.vendor.issue(email=OTHER_EMAIL)
    for wrong in ("x", other.reveal("LIC")):
        refused = await browser.submit(path, license_key=wrong, instance_id="offline-1")
        assert refused.status in {400, 422}
    assert (await browser.submit(path, license_key=text, instance_id="")).status == 400


async def test_files_do_not_evade_a_limit_of_deployments(site: Site, browser: Browser) -> None:
    await site.vendor.sell("limited", deployment_limit=1)
    license_id, key = await site.vendor.issue(product="limited")
    answer = await site.vendor.ask(
        key, ACTIVATE, site.clock.now, product="limited", instance_id="one"
    )
    assert answer.code is Code.VALID
    await site.sign_in(browser)
    path, text = f"/portal/licenses/{license_id}/file", key.reveal("LIC")
    assert (await browser.submit(path, license_key=text, instance_id="two")).status == 400
    assert (await browser.submit(path, license_key=text, instance_id="one")).status == 200


async def test_who_is_signed_in_starts_a_trial_once(site: Site, browser: Browser) -> None:
    await site.vendor.issue()
    await site.vendor.sell("second")
    await site.sign_in(browser)
    trial = await browser.submit("/portal/trial", product="second")
    assert trial.secret("key")
    again = await browser.submit("/portal/trial", product="second")
    assert again.status == 409
    assert "had a trial" in again.text
    for code in ("nothing", "", "../x"):
        assert (await browser.submit("/portal/trial", product=code)).status == 400


async def test_a_form_of_another_site_does_nothing(site: Site, browser: Browser) -> None:
    license_id, key = await site.vendor.issue()
    await site.sign_in(browser)
    for path, fields in {
        f"/portal/licenses/{license_id}/key": {"reason": "leaked"},
        "/portal/trial": {"product": "db-api"},
        "/portal/sign-out": {},
        "/portal/sign-in": {"email": EMAIL.address},
    }.items():
        before = await site.mails()
        forged: Shown = await browser.send(path, {"csrf": "0" * 64, **fields})
        assert forged.status == 401, path
        assert await site.mails() == before
    assert (await browser.open("/portal/licenses")).status == 200
    assert await activate(site, key) is Code.VALID


async def test_a_session_ends(site: Site, browser: Browser) -> None:
    await site.vendor.issue()
    await site.sign_in(browser)
    for _ in range(int(CUSTOMERS.absolute / TEN_MINUTES) - 1):
        site.clock.now += TEN_MINUTES
        assert (await browser.open("/portal/licenses")).status == 200
    site.clock.now += TEN_MINUTES
    assert (await browser.open("/portal/licenses")).status == 303
    await site.sign_in(browser)
    site.clock.now += CUSTOMERS.idle
    assert (await browser.open("/portal/licenses")).status == 303
    await site.sign_in(browser)
    await browser.submit("/portal/sign-out", at="/portal/licenses")
    assert (await browser.open("/portal/licenses")).status == 303


async def test_a_customer_cannot_change_without_end(
    site: Site, browser: Browser, throttle: CountingThrottle
) -> None:
    license_id, key = await site.vendor.issue()
    await site.sign_in(browser)
    spent = {(rule, subject): 1_000 for rule, subject in throttle.counts if rule != "requests"}
    throttle.counts.update(spent)
    async with site.vendor.desk(site.clock.now) as desk:
        owner = await Owners(desk).find(EMAIL)
    assert owner is not None
    throttle.counts["own_changes", owner.owner_id] = 1_000
    page = await browser.submit(f"/portal/licenses/{license_id}/key", reason="leaked")
    assert page.status == 429
    assert await activate(site, key) is Code.VALID


async def test_a_flood_of_one_source_is_stopped(
    browser: Browser, throttle: CountingThrottle
) -> None:
    assert (await browser.open("/")).status == 200
    throttle.counts.update(dict.fromkeys(throttle.counts, 1_000))
    assert (await browser.open("/portal/")).status == 429


async def test_an_erased_owner_is_out(site: Site, browser: Browser) -> None:
    await site.vendor.issue()
    await site.sign_in(browser)
    async with site.vendor.desk(site.clock.now) as desk:
        owner = await Owners(desk).find(EMAIL)
        assert owner is not None
        await Owners(desk).erase(owner.owner_id)
    assert (await browser.open("/portal/licenses")).status == 303


async def test_a_license_that_goes_to_another_owner_is_gone_from_here(
    site: Site, browser: Browser
) -> None:
    license_id, _ = await site.vendor.issue()
    await site.sign_in(browser)
    async with site.vendor.desk(site.clock.now) as desk:
        await Licenses(desk).transfer(license_id, OTHER_EMAIL)
    assert (await browser.open(f"/portal/licenses/{license_id}")).status == 404
    assert "No license belongs to this address" in (await browser.open("/portal/licenses")).text


@pytest.mark.parametrize("change", [Change.SUSPEND, Change.REVOKE])
async def test_what_the_vendor_ended_the_customer_does_not_bring_back(
    site: Site, browser: Browser, change: Change
) -> None:
    license_id, key = await site.vendor.issue()
    await site.vendor.change_standing(license_id, change)
    await site.sign_in(browser)
    path = f"/portal/licenses/{license_id}"
    assert change.value in (await browser.open(path)).text
    refused = await browser.submit(f"{path}/file", license_key=key.reveal("LIC"), instance_id="one")
    assert refused.status == 409
    await browser.submit(f"{path}/key", reason="lost")
    assert await activate(site, key) is not Code.VALID
