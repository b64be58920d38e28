"""The console over real databases: who gets in, what a form does, what an attacker cannot do."""

import base64
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from license_server import console
from license_server.admin.licenses import Licenses
from license_server.admin.operators import Enrolled, Operators
from license_server.admin.tokens import Tokens
from license_server.console.app import Console
from license_server.console.table import PAGES
from license_server.emails import Email
from license_server.errors import NotFound
from license_server.repository.database import Database
from license_server.repository.transaction import SqlRepository
from license_server.sessions import OPERATORS, Session, hash_of_cookie
from license_server.stores import LicenseFilter
from license_server.tokens import Role
from license_server.totp import STEP_SECONDS, code_at
from support.admin_api import Clock, endpoints
from support.browsers import Browser, Shown, browsing
from support.licensed_vendor import Vendor
from support.licensing import DAY, NOW, CountingThrottle
from support.log_attacks import spoil_signature

pytestmark = pytest.mark.anyio

SESSION = "__Host-console"
VISITOR = "__Host-console-visitor"
FORBIDDEN = re.compile(r"<script(?! src=)|<style|\sstyle=|\son\w+=|javascript:|\| *safe")


async def nobody(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise NotFound("there is no such address")


@dataclass
class Site:
    """A console, its clock, and its people.

    Attributes:
        vendor: the server behind it.
        clock: of the server.
        browser: opens a new browser.
    """

    vendor: Vendor
    clock: Clock
    browser: Callable[[], AbstractAsyncContextManager[Browser]]

    async def enroll(self, role: Role = Role.OWNER, name: str = "ada") -> Enrolled:
        """Make an operator."""
        async with self.vendor.desk(self.clock.now) as desk:
            return await Operators(desk).create(name, role)

    def code(self, enrolled: Enrolled) -> str:
        """Return the present code of an operator's app; time goes on, as each is taken once."""
        self.clock.now += timedelta(seconds=STEP_SECONDS)
        return code_at(base64.b32decode(enrolled.totp_secret), self.clock.now)

    async def sign_in(self, browser: Browser, enrolled: Enrolled, **fields: str) -> Shown:
        """Sign in by password and code."""
        told = {
            "name": enrolled.operator.name,
            "password": enrolled.password,
            "code": self.code(enrolled),
        }
        return await browser.submit("/console/sign-in", **{**told, **fields})

    async def emails(self) -> list[str]:
        """Return the owners of all licenses, oldest first."""
        async with self.vendor.desk(self.clock.now) as desk:
            views = await Licenses(desk).page(LicenseFilter(self.clock.now), None, 500)
        return [view.email.address for view in views if view.email]

    async def actions(self) -> list[str]:
        """Return what the audit log tells, oldest first."""
        async with self.vendor.desk(self.clock.now) as desk:
            return [entry.change.action for entry in await desk.transaction.audit.newest(500)]


@pytest.fixture
def database(on_postgres: Database) -> Database:
    """Pages hold no SQL, and what they ask runs on both databases elsewhere."""
    return on_postgres


@pytest.fixture
def throttle() -> CountingThrottle:
    return CountingThrottle(1_000)


@pytest.fixture
def site(vendor: Vendor, throttle: CountingThrottle) -> Site:
    clock = Clock()
    repository = SqlRepository(vendor.database)
    app = Console(nobody, endpoints(), repository, vendor.vault, throttle, clock)
    return Site(vendor, clock, lambda: browsing(app, clock))


@pytest.fixture
async def ada(site: Site) -> Enrolled:
    return await site.enroll()


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[Browser]:
    async with site.browser() as opened:
        yield opened


@pytest.fixture
async def signed_in(site: Site, browser: Browser, ada: Enrolled) -> Browser:
    assert (await site.sign_in(browser, ada)).location == "/console/"
    return browser


async def as_role(site: Site, browser: Browser, role: Role) -> None:
    assert (await site.sign_in(browser, await site.enroll(role, role.value))).status == 303


async def issue(browser: Browser, **fields: str) -> Shown:
    typed = {"product": "db-api", "email": "bob@example.com", "kind": "paid", "ends": "policy"}
    return await browser.submit("/console/licenses/new", **{**typed, **fields})


def id_of(page: Shown) -> str:
    found = re.search(r"/console/licenses/(lic_[0-9a-z]{26})", page.html)
    assert found, page.text
    return found[1]


def address_of(path: str) -> str:
    """Return an address of a page, of things that are not there."""
    return "/console" + re.sub(r"\{\w+\}", "nothing", path)


async def test_who_is_not_signed_in_sees_no_page(browser: Browser) -> None:
    for page in PAGES:
        shown = await browser.open(address_of(page.path))
        assert shown.status == 303, page.path
        assert shown.location.startswith("/console/sign-in?next=%2Fconsole%2F"), page.path


async def test_password_and_code_open_the_console(site: Site, browser: Browser) -> None:
    ada = await site.enroll()
    assert (await site.sign_in(browser, ada)).location == "/console/"
    assert (await browser.open("/console/")).heading == "Dashboard"
    assert (await site.actions())[-1] == "session.begin"


async def test_an_admin_token_opens_it_too_while_it_lives(site: Site, browser: Browser) -> None:
    async with site.vendor.desk(NOW) as desk:
        token = await Tokens(desk).create("shop", Role.ISSUER, DAY)
    assert (await browser.submit("/console/sign-in", token=token.text)).status == 303
    assert "token shop" in (await browser.open("/console/")).text
    async with site.vendor.desk(NOW) as desk:
        await Tokens(desk).revoke(token.token_id)
    assert (await browser.open("/console/")).status == 303


@pytest.mark.parametrize(
    "wrong", [{"password": "x"}, {"code": "000000"}, {"name": "eve"}, {"token": "lsk_nothing"}]
)
async def test_whatever_is_wrong_nobody_gets_in(
    site: Site, browser: Browser, ada: Enrolled, wrong: dict[str, str]
) -> None:
    refused = await site.sign_in(browser, ada, **wrong)
    assert refused.status == 401
    assert browser.cookie(SESSION) is None
    assert ada.password not in refused.html


async def test_the_cookie_is_hard_to_steal_and_new_at_sign_in(
    site: Site, browser: Browser, ada: Enrolled
) -> None:
    await browser.open("/console/sign-in")
    visitor = browser.cookie(VISITOR)
    answer = (await site.sign_in(browser, ada)).response.headers["set-cookie"]
    first = browser.cookie(SESSION)
    assert answer == f"{SESSION}={first}; Path=/; Secure; HttpOnly; SameSite=Strict"
    assert first not in {visitor, None}
    async with site.browser() as other:
        other.http.cookies.update(browser.http.cookies)
        assert (await other.open("/console/")).status == 200
        await browser.send("/console/sign-out", (await browser.open("/console/")).hidden())
        await site.sign_in(browser, ada)
        assert browser.cookie(SESSION) != first
        assert (await other.open("/console/")).status == 303


async def test_a_planted_cookie_is_not_signed_in_with_its_victim(
    site: Site, browser: Browser, ada: Enrolled
) -> None:
    browser.http.cookies.set(SESSION, "planted", domain="vendor.test")
    browser.http.cookies.set(VISITOR, "planted", domain="vendor.test")
    await site.sign_in(browser, ada)
    async with site.browser() as attacker:
        attacker.http.cookies.set(SESSION, "planted", domain="vendor.test")
        assert (await attacker.open("/console/")).status == 303


async def test_a_session_ends_when_nobody_uses_it(signed_in: Browser) -> None:
    signed_in.clock.now += OPERATORS.idle - timedelta(minutes=2)
    assert (await signed_in.open("/console/")).status == 200
    signed_in.clock.now += OPERATORS.idle
    assert (await signed_in.open("/console/")).status == 303


async def test_a_session_ends_however_much_it_is_used(signed_in: Browser) -> None:
    nearly = OPERATORS.idle - timedelta(minutes=2)
    for _ in range(int(OPERATORS.absolute / nearly)):
        assert (await signed_in.open("/console/account")).status == 200
        signed_in.clock.now += nearly
    signed_in.clock.now += nearly
    assert (await signed_in.open("/console/account")).status == 303


async def test_signing_out_everywhere_ends_every_browser(
    site: Site, signed_in: Browser, ada: Enrolled
) -> None:
    async with site.browser() as other:
        await site.sign_in(other, ada)
        assert (await other.open("/console/")).status == 200
        await signed_in.submit("/console/sign-out", at="/console/account", everywhere="yes")
        for browser in (other, signed_in):
            assert (await browser.open("/console/")).status == 303


async def test_a_changed_operator_is_another_one_at_once(
    site: Site, signed_in: Browser, ada: Enrolled
) -> None:
    async with site.vendor.desk(NOW) as desk:
        await Operators(desk).change_role(ada.operator.operator_id, Role.AUDITOR)
    assert (await signed_in.open("/console/tokens")).status == 403
    async with site.vendor.desk(NOW) as desk:
        await Operators(desk).disable(ada.operator.operator_id)
    assert (await signed_in.open("/console/")).status == 303


async def test_the_session_of_a_customer_opens_nothing_here(site: Site, browser: Browser) -> None:
    await site.vendor.issue()
    async with site.vendor.desk(NOW) as desk:
        [record] = await desk.transaction.licenses.page(LicenseFilter(NOW), None, 1)
        session = Session(hash_of_cookie("cookie"), record.owner_id, NOW, NOW)
        await desk.transaction.sessions.add(session)
    browser.http.cookies.set(SESSION, "cookie", domain="vendor.test")
    assert (await browser.open("/console/")).status == 303


async def test_a_form_of_another_site_does_nothing(site: Site, signed_in: Browser) -> None:
    before = await site.actions()
    async with site.browser() as attacker:
        foreign = (await attacker.open("/console/sign-in")).hidden()["csrf"]
    for page in PAGES:
        if page.submit is None:
            continue
        for forged in ({}, {"csrf": ""}, {"csrf": foreign}):
            refused = await signed_in.send(address_of(page.path), {**forged, "name": "x"})
            assert refused.status == 401, page.path
    assert await site.actions() == before


async def test_signing_in_or_out_cannot_be_forged(
    site: Site, signed_in: Browser, ada: Enrolled
) -> None:
    assert (await signed_in.send("/console/sign-out", {"csrf": "x"})).status == 401
    assert (await signed_in.open("/console/")).status == 200
    told = {"name": "ada", "password": ada.password, "code": site.code(ada)}
    async with site.browser() as victim:
        assert (await victim.send("/console/sign-in", told)).status == 401
        assert victim.cookie(SESSION) is None


async def test_too_many_tries_are_stopped_even_with_the_right_password(
    site: Site, throttle: CountingThrottle, browser: Browser, ada: Enrolled
) -> None:
    throttle.counts.update({("sign_ins", "ada"): 1_000})
    assert (await site.sign_in(browser, ada)).status == 429
    assert browser.cookie(SESSION) is None


async def test_a_source_that_guesses_is_stopped(
    site: Site, throttle: CountingThrottle, browser: Browser, ada: Enrolled
) -> None:
    throttle.counts.update({("sign_ins_by_source", "127.0.0.1"): 1_000})
    assert (await site.sign_in(browser, ada)).status == 429


async def test_behind_the_sign_in_is_the_page_that_was_asked_for(
    site: Site, browser: Browser, ada: Enrolled
) -> None:
    asked = await browser.open("/console/licenses?status=active&order=ends_first")
    page = await browser.open(asked.location)
    fields = {"name": "ada", "password": ada.password, "code": site.code(ada)}
    answer = await browser.send("/console/sign-in", {**page.hidden(), **fields})
    assert answer.location == "/console/licenses?status=active&order=ends_first"


@pytest.mark.parametrize(
    "target", ["https://evil.example/console/", "//evil.example", "/console", "/docs",
               "/console/\\evil", "javascript:alert(1)", "/console/\r\nset-cookie: a=b"]
)  # fmt: skip
async def test_behind_the_sign_in_is_never_another_site(
    site: Site, browser: Browser, ada: Enrolled, target: str
) -> None:
    assert (await site.sign_in(browser, ada, next=target)).location == "/console/"


async def test_a_link_on_another_site_does_not_sign_out(signed_in: Browser) -> None:
    cookies = dict(signed_in.http.cookies)
    signed_in.http.cookies.clear()  # SameSite=Strict
    again = await signed_in.open("/console/licenses", sec_fetch_site="cross-site")
    assert 'http-equiv="refresh"' in again.html
    assert "set-cookie" not in again.response.headers
    signed_in.http.cookies.update(cookies)
    assert (await signed_in.open("/console/licenses")).heading == "Licenses"


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_sees_the_pages_that_it_may(site: Site, browser: Browser, role: Role) -> None:
    await as_role(site, browser, role)
    may = {endpoint.name: role in endpoint.roles for endpoint in endpoints()}
    dashboard = (await browser.open("/console/")).html
    for path, endpoint in {
        "/": "stats.show", "/licenses": "license.list", "/products": "product.list",
        "/webhooks": "webhook.list", "/mails": "mail.list", "/tokens": "token.list",
        "/operators": "operator.list", "/keys": "keyset.show", "/audit": "audit.list",
        "/health": "doctor.show", "/settings": "settings.show", "/alerts": "doctor.show",
    }.items():  # fmt: skip
        page = await browser.open(f"/console{path}")
        assert page.status == (200 if may[endpoint] else 403), path
        if path not in {"/", "/alerts"}:
            assert (f'href="/console{path}"' in dashboard) is may[endpoint], path


@pytest.mark.parametrize(
    ("role", "words", "path", "fields"),
    [
        (Role.SUPPORT, "Issue a license", "/console/licenses/new",
         {"product": "db-api", "email": "x@example.com", "kind": "paid"}),
        (Role.ISSUER, "Create a product", "/console/products/new", {"code": "x", "name": "X"}),
        (Role.AUDITOR, "Issue a license", "/console/licenses/new",
         {"product": "db-api", "email": "x@example.com", "kind": "paid"}),
        (Role.ISSUER, "Make a token", "/console/tokens/new",
         {"name": "x", "role": "owner", "lasts_seconds": "1"}),
        (Role.SUPPORT, "Add an operator", "/console/operators/new", {"name": "x", "role": "owner"}),
    ],
)  # fmt: skip
async def test_what_a_role_may_not_it_cannot_by_button_or_by_request(
    site: Site, browser: Browser, role: Role, words: str, path: str, fields: dict[str, str]
) -> None:
    await as_role(site, browser, role)
    before = await site.actions()
    if role is not Role.ISSUER:
        assert words not in (await browser.open("/console/licenses")).text
    own = (await browser.open("/console/")).hidden()["csrf"]
    complete = {
        "key_prefix": "XX",
        "trial_seconds": "1d",
        "renewal_grace_seconds": "0s",
        "refresh_seconds": "6h",
        "lease_seconds": "1d",
        "offline_grace_seconds": "2d",
    }
    refused = await browser.send(path, {**complete, **fields, "csrf": own})
    assert refused.status == 403
    assert await site.actions() == before


async def test_a_license_is_issued_and_its_key_shown_once(site: Site, signed_in: Browser) -> None:
    made = await issue(signed_in, ends="after", lasts_days="90", entitlements="backup export",
                       metadata="order: 12\nshop: blue", mail_key="yes")  # fmt: skip
    key = made.secret("key")
    assert key.startswith("LIC-")
    page = await signed_in.open(f"/console/licenses/{id_of(made)}")
    assert "backup" in page.text
    assert "order" in page.text
    assert key not in page.html
    assert key[-4:] in page.text
    assert await site.emails() == ["bob@example.com"]


async def test_a_form_that_is_sent_twice_issues_once(site: Site, signed_in: Browser) -> None:
    hidden = (await signed_in.open("/console/licenses/new")).hidden()
    fields = {**hidden, "product": "db-api", "email": "bob@example.com", "kind": "paid"}
    first, second = [await signed_in.send("/console/licenses/new", fields) for _ in range(2)]
    assert first.secret("key") == second.secret("key")
    assert await site.emails() == ["bob@example.com"]


async def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    site: Site, signed_in: Browser
) -> None:
    refused = await issue(signed_in, email="bob", entitlements="backup", metadata="order: 12")
    assert refused.status == 400
    assert "exactly one @ is expected" in refused.text
    assert 'aria-invalid="true"' in refused.html
    assert (refused.value("email"), refused.value("entitlements")) == ("bob", "backup")
    assert await site.emails() == []


async def test_a_session_that_ends_in_mid_form_loses_nothing_typed(
    site: Site, signed_in: Browser, ada: Enrolled
) -> None:
    page = await signed_in.open("/console/licenses/new")
    signed_in.clock.now += OPERATORS.idle
    typed = {"product": "db-api", "email": "bob@example.com", "kind": "paid",
             "entitlements": "a <b> & 'c'", "metadata": "order: 12\nshop: blue"}  # fmt: skip
    asked = await signed_in.send("/console/licenses/new", {**page.hidden(), **typed})
    assert asked.status == 401
    assert "what you typed is there again" in asked.text
    wrong = await signed_in.send("/console/sign-in", {**asked.hidden(), "name": "ada"})
    assert wrong.status == 401
    fields = {"name": "ada", "password": ada.password, "code": site.code(ada)}
    again = await signed_in.send("/console/sign-in", {**wrong.hidden(), **fields})
    assert again.heading == "Issue a license"
    assert "What you typed is still here" in again.text
    for name in ("email", "entitlements", "metadata"):
        assert again.value(name) == typed[name]
    assert await site.emails() == []
    sent = {**again.hidden(), **typed, "entitlements": "c"}
    assert (await signed_in.send("/console/licenses/new", sent)).secret("key")


async def test_a_form_of_a_page_that_the_role_has_lost_leads_to_that_page(
    site: Site, signed_in: Browser, ada: Enrolled
) -> None:
    path = f"/console/operators/{ada.operator.operator_id}"
    page = await signed_in.open(path)
    signed_in.clock.now += OPERATORS.idle
    asked = await signed_in.send(path, {**page.hidden(), "role": "support"})
    async with site.vendor.desk(NOW) as desk:
        await Operators(desk).change_role(ada.operator.operator_id, Role.AUDITOR)
    fields = {"name": "ada", "password": ada.password, "code": site.code(ada)}
    answer = await signed_in.send("/console/sign-in", {**asked.hidden(), **fields})
    assert (answer.status, answer.location) == (303, path)
    assert (await signed_in.open(path)).status == 403
    assert (await signed_in.open("/console/")).heading == "Dashboard"


async def test_a_part_of_a_page_without_a_session_leads_to_the_sign_in(browser: Browser) -> None:
    part = await browser.open("/console/licenses?search=x", hx_request="true")
    assert part.response.headers["hx-redirect"].startswith("/console/sign-in?next=%2Fconsole")
    assert part.status == 204


async def test_neither_a_password_nor_a_foreign_form_is_kept(
    site: Site, signed_in: Browser, ada: Enrolled
) -> None:
    own = (await signed_in.open("/console/account")).hidden()
    signed_in.clock.now += OPERATORS.idle
    typed = {"present_password": ada.password, "new_password": "correct horse", "code": "123456"}
    asked = await signed_in.send("/console/account", {**own, **typed})
    for secret in typed.values():
        assert secret not in asked.html
    async with site.browser() as victim:
        foreign = await victim.send("/console/licenses/new", {"email": "evil@example.com"})
        assert "evil@example.com" not in foreign.html


async def test_a_stale_page_shows_both_versions(signed_in: Browser) -> None:
    path = f"/console/licenses/{id_of(await issue(signed_in))}/edit"
    mine = (await signed_in.open(path)).hidden()
    theirs = {"entitlements": "export", "metadata": "", "notes": "from them"}
    assert (await signed_in.submit(path, **theirs)).status == 303
    stale = await signed_in.send(path, {**mine, **theirs, "notes": "from me"})
    assert stale.status == 412
    assert "from me" in stale.text
    assert "from them" in stale.text
    assert stale.value("notes") == "from me"
    over = await signed_in.send(path, {**stale.hidden(), **theirs, "notes": "from me"})
    assert over.status == 303
    assert "from me" in (await signed_in.open(path)).text


async def test_a_stale_product_is_not_overwritten_unseen(signed_in: Browser) -> None:
    path = "/console/products/db-api"
    page = await signed_in.open(path)
    names = ("name", "key_prefix", "validity_seconds", "deployment_limit", "entitlements", "limits",
             "trial_seconds", "renewal_grace_seconds", "refresh_seconds", "lease_seconds",
             "offline_grace_seconds", "expiring_notices_seconds")  # fmt: skip
    typed = {name: page.value(name) for name in names}
    theirs = {**page.hidden(), **typed, "deployment_limit": "5"}
    assert (await signed_in.send(path, theirs)).status == 303
    stale = await signed_in.send(path, {**page.hidden(), **typed, "deployment_limit": "7"})
    assert stale.status == 412
    assert "Deployments at most 7 5" in stale.text
    assert (await signed_in.open(path)).value("deployment_limit") == "5"


@pytest.mark.parametrize(
    ("action", "fields", "done"),
    [
        ("renew", {"ends": "on", "expires_at": "2035-01-01"}, "Renewed"),
        ("suspend", {}, "Suspended"),
        ("revoke", {}, "Revoked for good"),
    ],
)
async def test_an_action_says_what_will_happen_and_then_does_it(
    site: Site, signed_in: Browser, action: str, fields: dict[str, str], done: str
) -> None:
    made = await issue(signed_in, ends="after", lasts_days="30")
    path = f"/console/licenses/{id_of(made)}"
    before = len(await site.actions())
    page = await signed_in.open(f"{path}/{action}")
    assert page.status == 200
    assert len(await site.actions()) == before
    moved = await signed_in.submit(f"{path}/{action}", **fields)
    assert done in (await signed_in.open(moved.location)).text
    assert (await site.actions())[before:] == [f"license.{action}"]
    history = (await signed_in.open(path)).text
    assert "by ada" in history


async def test_a_refused_action_says_why_and_changes_nothing(
    site: Site, signed_in: Browser
) -> None:
    path = f"/console/licenses/{id_of(await issue(signed_in))}"
    await signed_in.submit(f"{path}/suspend")
    before = await site.actions()
    refused = await signed_in.submit(f"{path}/suspend")
    assert refused.status == 409
    assert "Cannot suspend" in refused.text
    assert await site.actions() == before


async def test_a_replaced_key_and_a_transfer_show_new_keys(signed_in: Browser) -> None:
    made = await issue(signed_in)
    path = f"/console/licenses/{id_of(made)}"
    rotated = await signed_in.submit(f"{path}/rotate-key", overlap_days="0")
    moved = await signed_in.submit(f"{path}/transfer", email="eve@example.com")
    keys = {page.secret("key") for page in (made, rotated, moved)}
    assert len(keys) == 3
    assert "eve@example.com" in (await signed_in.open(path)).text


async def test_a_license_file_is_downloaded(signed_in: Browser) -> None:
    made = await issue(signed_in)
    path = f"/console/licenses/{id_of(made)}/file"
    file = await signed_in.submit(path, license_key=made.secret("key"), lasts_days="30")
    assert file.html.startswith("-----BEGIN LICENSE FILE-----")
    assert file.response.headers["content-disposition"].endswith('.license"')
    assert (await signed_in.submit(path, license_key="nonsense", lasts_days="30")).status == 422


async def test_a_search_tells_ids_emails_domains_and_keys_apart(signed_in: Browser) -> None:
    made = await issue(signed_in)
    await issue(signed_in, email="eve@other.example")
    license_id, key = id_of(made), made.secret("key")
    for text in ("bob@example.com", "example.com", "@example.com", key[-4:], f"…{key[-4:]}"):
        found = await signed_in.open(f"/console/licenses?search={text}")
        while found.status == 303:
            found = await signed_in.open(found.location)
        assert "bob@example.com" in found.text, text
        assert "eve@other.example" not in found.text, text
    by_id = await signed_in.open(f"/console/licenses?search={license_id}")
    assert by_id.location == f"/console/licenses/{license_id}"
    by_key = await signed_in.open(f"/console/licenses?search={key}&status=active")
    assert by_key.location == f"/console/licenses?status=active&search={key[-4:]}"
    assert "No license fits" in (await signed_in.open("/console/licenses?search=zoe@x.org")).text
    assert "is expected" in (await signed_in.open("/console/licenses?search=zoe@")).text


async def test_pages_of_a_list_hold_every_license_once_in_each_order(
    site: Site, signed_in: Browser
) -> None:
    for number in range(60):
        ends = site.clock.now + (number + 1) * DAY if number % 3 else None
        email = Email.parse(f"n{number}@example.com")
        await site.vendor.issue(email=email, now=site.clock.now, expires_at=ends)
    for order in ("newest", "oldest", "ends_first", "ends_last"):
        seen: list[str] = []
        path: str | None = f"/console/licenses?order={order}"
        while path is not None:
            page = await signed_in.open(path)
            assert "60 licenses" in page.text
            seen += re.findall(r"n\d+@example\.com(?=</a>)", page.html)
            more = re.search(r'rel="next" href="([^"]+)"', page.html)
            path = more[1].replace("&amp;", "&") if more else None
        assert len(seen) == len(set(seen)) == 60, order


async def test_many_are_suspended_at_once_and_a_refusal_undoes_none(
    site: Site, signed_in: Browser
) -> None:
    ids = [id_of(await issue(signed_in, email=f"n{n}@example.com")) for n in range(3)]
    await signed_in.submit(f"/console/licenses/{ids[1]}/suspend")
    ticked = "&".join(f"license={one}" for one in ids)
    asked = await signed_in.open(f"/console/licenses/bulk?action=suspend&{ticked}")
    assert asked.heading == "Suspend 3 licenses?"
    fields = {**asked.hidden(), "license": ids, "action": "suspend"}
    done = await signed_in.send("/console/licenses/bulk", fields)
    assert done.heading == "2 of 3 changed"
    assert "cannot suspend" in done.text
    assert (await site.actions()).count("license.suspend") == 3


async def test_the_export_holds_what_the_list_shows(signed_in: Browser) -> None:
    await issue(signed_in)
    await issue(signed_in, email="eve@other.example")
    exported = await signed_in.open("/console/licenses/export?search=other.example")
    assert exported.response.headers["content-type"] == "text/csv"
    assert "attachment" in exported.response.headers["content-disposition"]
    header, row = exported.html.splitlines()
    assert header.startswith("id,product,")
    assert "eve@other.example" in row


async def test_a_waiting_mail_is_shown_without_its_key(signed_in: Browser) -> None:
    made = await issue(signed_in, mail_key="yes")
    mails = await signed_in.open("/console/mails?state=pending")
    found = re.search(r"/console/mails/(out_\w+)", mails.html)
    assert found
    mail = await signed_in.open(f"/console/mails/{found[1]}")
    assert "bob@example.com" in mail.text
    assert f"…{made.secret('key')[-4:]}" in mail.text
    assert made.secret("key") not in mail.html


async def test_webhooks_tokens_and_operators_are_run_from_here(signed_in: Browser) -> None:
    hook = await signed_in.submit("/console/webhooks/new", url="https://example.com/hook")
    assert hook.secret("secret").startswith("whsec_")
    found = re.search(r"/console/webhooks/(whe_\w+)", hook.html)
    assert found
    path = f"/console/webhooks/{found[1]}"
    assert (await signed_in.submit(f"{path}/test", at=path)).status == 303
    assert "webhook.test" in (await signed_in.open(path)).text
    rotated = await signed_in.submit(f"{path}/rotate-secret")
    assert rotated.secret("secret") != hook.secret("secret")
    assert (
        await signed_in.submit(f"{path}/remove")
    ).location == "/console/webhooks?done=webhook-removed"
    token = await signed_in.submit("/console/tokens/new", name="shop", role="issuer",
                                   lasts_seconds="30")  # fmt: skip
    assert token.secret("token").startswith("lsk_")
    grace = await signed_in.submit("/console/operators/new", name="grace", role="support")
    assert "<svg" in grace.html
    assert len(grace.secret("totp")) == 32
    assert "grace" in (await signed_in.open("/console/operators")).text


async def test_the_log_is_filtered_verified_and_signed_for(signed_in: Browser) -> None:
    license_id = id_of(await issue(signed_in))
    await issue(signed_in, email="eve@example.com")
    log = await signed_in.open(f"/console/audit?action=license.&subject={license_id}")
    assert log.text.count("license issue") == 1
    assert "by ada" not in log.text
    assert "ada" in log.text
    assert "The log is sound" in (await signed_in.submit("/console/audit/verify")).text
    assert "is signed for" in (await signed_in.submit("/console/audit/checkpoint")).text
    assert "1 checkpoint fits" in (await signed_in.submit("/console/audit/verify")).text
    made = await signed_in.submit("/console/audit/checkpoint")
    spoil_signature(Path(re.findall(r"appended to <code>(.+?)</code>", made.html)[0]))
    doubtful = (await signed_in.submit("/console/audit/verify")).text
    assert "Not every checkpoint could be believed" in doubtful
    assert "Line 2: " in doubtful


async def test_an_operator_changes_its_password_here(
    site: Site, signed_in: Browser, ada: Enrolled
) -> None:
    weak = await signed_in.submit(
        "/console/account", present_password=ada.password, new_password="short", code=site.code(ada)
    )
    assert weak.status == 400
    assert "15 characters" in weak.text
    chosen = "correct horse battery"
    changed = await signed_in.submit(
        "/console/account", present_password=ada.password, new_password=chosen, code=site.code(ada)
    )
    assert changed.status == 303
    assert (await signed_in.open("/console/")).status == 303
    assert (await site.sign_in(signed_in, ada)).status == 401
    assert (await site.sign_in(signed_in, ada, password=chosen)).status == 303


async def test_a_first_start_says_what_to_do(signed_in: Browser) -> None:
    for path, words in {
        "/console/licenses": "No license was issued yet",
        "/console/webhooks": "No endpoint yet",
        "/console/mails": "No mail was written yet",
        "/console/tokens": "No token yet",
        "/console/": "No deployment is registered yet",
    }.items():
        assert words in (await signed_in.open(path)).text, path


async def test_every_page_keeps_the_strict_policy(signed_in: Browser) -> None:
    for page in PAGES:
        shown = await signed_in.open(address_of(page.path))
        policy = shown.response.headers["content-security-policy"]
        if shown.status != 303 and page.path != "/licenses/export":
            assert policy.startswith("default-src 'self'; object-src 'none'"), page.path
        assert shown.response.headers["cache-control"] == "no-store"
        assert shown.status < 500, page.path


def test_no_template_holds_what_the_policy_forbids() -> None:
    folder = Path(console.__file__).parent.parent
    templates = [*folder.glob("console/templates/*"), *folder.glob("portal/templates/*"),
                 *folder.glob("web/templates/*")]  # fmt: skip
    assert len(templates) > 50
    for template in templates:
        text = template.read_text()
        assert not re.search(
            r"<script(?! src=)|<style|\sstyle=|\son\w+=|javascript:|\| *safe", text
        ), template.name


async def test_what_is_typed_is_never_markup(signed_in: Browser) -> None:
    evil = "<script>alert(1)</script>"
    path = f"/console/licenses/{id_of(await issue(signed_in))}"
    await signed_in.submit(f"{path}/edit", notes=evil, entitlements="", metadata=f"x: {evil}")
    for address in (path, f"{path}/edit", f"/console/licenses?search={evil}",
                    f"/console/audit?actor={evil}"):  # fmt: skip
        assert "<script>alert" not in (await signed_in.open(address)).html, address


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_refused(signed_in: Browser, method: str) -> None:
    answer = await signed_in.http.request(method, "/console/licenses")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, POST"


async def test_an_address_that_is_not_there_is_a_page_for_people(signed_in: Browser) -> None:
    for path in ("/console/nothing", "/console/licenses/lic_x", "/console/static/nothing.css"):
        page = await signed_in.open(path)
        assert (page.status, page.heading) == (404, "There is nothing here.")


async def test_without_its_database_it_is_still_a_page_for_people(
    vendor: Vendor, throttle: CountingThrottle
) -> None:
    clock, nowhere = Clock(), Database.from_url("postgresql://nobody@127.0.0.1:1/none")
    app = Console(nobody, endpoints(), SqlRepository(nowhere), vendor.vault, throttle, clock)
    async with browsing(app, clock) as browser:
        assert (await browser.open("/console/sign-in")).status == 200
        browser.http.cookies.set(SESSION, "cookie", domain="vendor.test")
        page = await browser.open("/console/")
    assert (page.status, page.heading) == (503, "The server cannot answer now.")
    assert page.response.headers["retry-after"] == "5"
    assert "127.0.0.1" not in page.html
