"""The console as the vendor's people use it: a real browser, TLS, PostgreSQL, and the SDK."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, StorageState, expect

from support.console_people import Person, enroll, read_person
from support.customer import Customer
from support.page_checks import (
    Photographer,
    axe_by_day_and_night,
    is_wider_than_its_window,
    show_as,
)
from support.vendor import Sold
from support.vendor_site import VendorSite

COOKIE = "__Host-console"
MOST_BYTES = 150_000
NewPage = Callable[..., Page]

PAGES = {
    "dashboard": "/", "alerts": "/alerts", "licenses": "/licenses", "issue": "/licenses/new",
    "no-result": "/licenses?search=nobody@example.org",
    "bulk": "/licenses/bulk?action=revoke&license={license}",
    "products": "/products", "new-product": "/products/new", "product": "/products/db-api",
    "webhooks": "/webhooks", "new-webhook": "/webhooks/new", "outbox": "/mails",
    "tokens": "/tokens", "new-token": "/tokens/new", "operators": "/operators",
    "new-operator": "/operators/new", "account": "/account", "keys": "/keys", "audit": "/audit",
    "verify": "/audit/verify", "checkpoint": "/audit/checkpoint", "health": "/health",
    "settings": "/settings", "license": "/licenses/{license}",
    **{
        name: f"/licenses/{{license}}/{name}"
        for name in ("edit", "renew", "rotate-key", "transfer", "suspend", "revoke", "file")
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def ada(site: VendorSite) -> Person:
    return enroll(site, "ada")


@pytest.fixture(scope="module")
def sold(site: VendorSite) -> Sold:
    """Sell a license, which nobody changes."""
    return site.vendor.sell("lasting@example.com")


_states: dict[str, StorageState] = {}


@pytest.fixture
def owner(site: VendorSite, ada: Person, new_page: NewPage) -> Page:
    """Return a page of somebody signed in: once for all tests, as a code is taken once."""
    key = f"{site.admin_url}/{ada.name}"
    if key not in _states:
        first = new_page()
        ada.sign_in(first, site)
        _states[key] = first.context.storage_state()
    page = new_page(storage_state=_states[key])
    page.goto(f"{site.admin_url}/console/")
    return page


@pytest.fixture
def support(site: VendorSite, new_page: NewPage) -> Page:
    """Return a page of somebody of the role support."""
    key = f"{site.admin_url}/support"
    if key not in _states:
        first = new_page()
        enroll(site, "sue", "support").sign_in(first, site)
        _states[key] = first.context.storage_state()
    return new_page(storage_state=_states[key])


def issue(page: Page, site: VendorSite, email: str) -> Sold:
    """Issue a license, and return it with the key that is shown."""
    page.goto(f"{site.admin_url}/console/licenses/new")
    page.get_by_label("Email of the buyer").fill(email)
    page.get_by_role("button", name="Issue").click()
    key = page.locator("#key").inner_text()
    page.get_by_role("link", name="Go to the license").click()
    return Sold(page.url.rsplit("/", 1)[1], key, email)


def customer(site: VendorSite, folder: Path, sold: Sold) -> Customer:
    return Customer(folder, site.server.url, site.vendor.ca, site.vendor.trust, sold)


def test_a_license_is_sold_used_suspended_and_told_of(
    site: VendorSite, new_page: NewPage, photographer: Photographer, tmp_path: Path
) -> None:
    page = new_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    enroll(site, "grace").sign_in(page, site)

    page.get_by_role("link", name="Issue a license").click()
    page.get_by_label("Email of the buyer").fill("bob@example.com")
    page.get_by_label("After a number of days").check()
    page.get_by_label("Days optional").fill("90")
    page.get_by_role("button", name="Issue").click()
    photographer.take(page, "console-key")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    key = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"LIC(-[0-9A-Z]{5}){6}", key)
    page.get_by_role("link", name="Go to the license").click()
    machine = customer(site, tmp_path / "machine", Sold(page.url[-30:], key, "bob@example.com"))

    assert machine.run("license-client", "activate").returncode == 0
    page.reload()
    expect(page.get_by_role("row", name="license-client").first).to_contain_text("live")
    photographer.take(page, "console-license-in-use")

    page.get_by_role("link", name="Suspend").click()
    expect(page.get_by_text("denied from its next request on")).to_be_visible()
    page.get_by_role("button", name="Suspend").click()
    expect(page.get_by_role("status")).to_contain_text("Suspended")
    denied = machine.run("license-client", "refresh")
    assert (denied.returncode, "SUSPENDED" in denied.stderr + denied.stdout) == (3, True)

    expect(page.locator(".timeline li").first).to_contain_text("Suspended by grace")
    page.get_by_role("link", name="Audit log").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("license suspend")
    expect(page.get_by_role("row").nth(1)).to_contain_text("grace")


def test_a_wrong_code_lets_nobody_in(site: VendorSite, page: Page, ada: Person) -> None:
    page.goto(site.admin_url)
    page.get_by_label("Name").fill(ada.name)
    page.get_by_label("Password").fill(ada.password)
    page.get_by_label("Code of your authenticator app").fill("000000")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Name, password or code is not right")
    assert COOKIE not in {cookie["name"] for cookie in page.context.cookies()}
    page.goto(f"{site.admin_url}/console/licenses")
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


def test_an_admin_token_opens_the_console(site: VendorSite, page: Page) -> None:
    token = site.vendor.create_token("auditor")["token"]
    page.goto(site.admin_url)
    page.get_by_text("Use an admin token instead").click()
    page.get_by_label("Admin token").fill(token)
    page.get_by_role("button", name="Sign in with the token").click()
    expect(page.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="Issue a license")).to_have_count(0)


def test_scripts_of_a_page_cannot_read_the_session(owner: Page) -> None:
    [cookie] = [one for one in owner.context.cookies() if one["name"] == COOKIE]
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Strict")
    assert COOKIE not in owner.evaluate("document.cookie")


def test_many_licenses_are_suspended_at_once(owner: Page, site: VendorSite) -> None:
    for number in range(3):
        site.vendor.sell(f"n{number}@many.example")
    owner.goto(f"{site.admin_url}/console/licenses")
    owner.get_by_label("Email, domain").fill("many.example")
    expect(owner.get_by_text("3 licenses")).to_be_visible()
    owner.get_by_label("Tick all on this page").check()
    owner.get_by_role("button", name="Go on").click()
    owner.get_by_role("button", name="Suspend them").click()
    expect(owner.get_by_role("heading", name="3 of 3 changed")).to_be_visible()


def test_the_list_is_downloaded_as_it_is_filtered(
    owner: Page, site: VendorSite, tmp_path: Path
) -> None:
    site.vendor.sell("one@export.example")
    owner.goto(f"{site.admin_url}/console/licenses?search=export.example")
    with owner.expect_download() as download:
        owner.get_by_role("link", name="Export as CSV").click()
    file = tmp_path / "licenses.csv"
    download.value.save_as(file)
    [row] = csv.DictReader(file.read_text().splitlines())
    assert row["email"] == "one@export.example"


def test_what_support_may_not_has_no_button_and_no_effect(
    support: Page, owner: Page, site: VendorSite, sold: Sold
) -> None:
    support.goto(f"{site.admin_url}/console/licenses/{sold.license_id}")
    expect(support.get_by_role("link", name="Suspend")).to_be_visible()
    for name in ("Revoke", "Renew", "Transfer", "License file"):
        expect(support.get_by_role("link", name=name)).to_have_count(0)
    support.goto(f"{site.admin_url}/console/licenses/{sold.license_id}/revoke")
    support.get_by_role("button", name="Revoke").click()
    expect(support.get_by_role("heading", level=1)).to_contain_text("role may not do this")
    owner.goto(f"{site.admin_url}/console/licenses/{sold.license_id}")
    expect(owner.get_by_role("heading", level=1)).to_have_text(sold.email)
    expect(owner.locator(".title .tag")).to_have_text("active")


def test_a_form_of_another_site_does_nothing(
    owner: Page, site: VendorSite, sold: Sold, tmp_path: Path
) -> None:
    target = f"{site.admin_url}/console/licenses/{sold.license_id}/revoke"
    evil = tmp_path / "evil.html"
    evil.write_text(
        f'<form method="post" action="{target}"><input name="csrf" value="x">'
        "<button>Win</button></form>"
    )
    owner.goto(evil.as_uri())
    owner.get_by_role("button", name="Win").click()
    expect(owner.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    owner.goto(f"{site.admin_url}/console/licenses/{sold.license_id}")
    expect(owner.locator(".title .tag")).to_have_text("active")


def test_a_stolen_cookie_is_of_no_use_after_signing_out(
    site: VendorSite, new_page: NewPage
) -> None:
    victim = new_page()
    enroll(site, "victim").sign_in(victim, site)
    stolen = new_page(storage_state=victim.context.storage_state())
    stolen.goto(f"{site.admin_url}/console/")
    expect(stolen.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()
    victim.get_by_role("link", name="victim").click()
    victim.get_by_role("button", name="Sign out everywhere", exact=True).click()
    stolen.reload()
    expect(stolen.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


def test_a_session_that_ends_in_mid_form_loses_nothing(
    site: VendorSite, new_page: NewPage, photographer: Photographer
) -> None:
    page, person = new_page(), enroll(site, "late")
    person.sign_in(page, site)
    page.goto(f"{site.admin_url}/console/licenses/new")
    page.get_by_label("Email of the buyer").fill("late@example.com")
    page.get_by_label("Metadata").fill("order: 1")
    site.vendor.command("operator", "sign-out", person.name)
    page.get_by_role("button", name="Issue").click()
    expect(page.get_by_text("Your session ended")).to_be_visible()
    photographer.take(page, "console-session-ended")
    read_person(site.vendor.command("operator", "reset", person.name, "--json")).fill_in(page)
    expect(page.get_by_label("Email of the buyer")).to_have_value("late@example.com")
    expect(page.get_by_label("Metadata")).to_have_value("order: 1")
    page.get_by_role("button", name="Issue").click()
    expect(page.locator("#key")).to_be_visible()


def test_a_stale_page_shows_both_versions(
    owner: Page, site: VendorSite, photographer: Photographer
) -> None:
    license_id = site.vendor.sell("stale@example.com").license_id
    owner.goto(f"{site.admin_url}/console/licenses/{license_id}/edit")
    owner.get_by_label("Notes").fill("mine")
    other = owner.context.new_page()
    other.goto(owner.url)
    other.get_by_label("Notes").fill("theirs")
    other.get_by_role("button", name="Save").click()
    owner.get_by_role("button", name="Save").click()
    expect(owner.get_by_role("alert")).to_contain_text("changed in the meantime")
    expect(owner.get_by_role("row", name="Notes mine theirs")).to_be_visible()
    photographer.take(owner, "console-stale")
    owner.get_by_role("button", name="Save mine over it").click()
    expect(owner.locator("pre").last).to_have_text("mine")


def test_a_mail_that_fails_waits_for_somebody(
    owner: Page, site: VendorSite, photographer: Photographer
) -> None:
    site.vendor.sell("nobody@example.com", "--mail")
    failed = owner.get_by_role("row", name="failed")
    for _ in range(60):
        owner.goto(f"{site.admin_url}/console/mails?state=failed")
        if failed.count():
            break
        owner.wait_for_timeout(500)
    failed.first.get_by_role("link").first.click()
    expect(owner.get_by_text("It could not be delivered")).to_be_visible()
    expect(owner.get_by_text("nobody@example.com", exact=True)).to_be_visible()
    photographer.take(owner, "console-failed-mail")
    owner.get_by_role("button", name="Try it anew").click()
    expect(owner.get_by_role("status")).to_contain_text("tried anew")


def test_everything_works_without_a_script(
    site: VendorSite, new_page: NewPage, ada: Person
) -> None:
    del ada
    page = new_page(java_script_enabled=False)
    enroll(site, "noscript").sign_in(page, site)
    sold = issue(page, site, "plain@example.com")
    page.goto(f"{site.admin_url}/console/licenses")
    page.get_by_label("Email, domain").fill("plain@example.com")
    page.get_by_role("button", name="Search").click()
    page.get_by_label("Tick the license of plain@example.com").check()
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Suspend them").click()
    expect(page.get_by_role("heading", name="1 of 1 changed")).to_be_visible()
    page.goto(f"{site.admin_url}/console/")
    page.get_by_role("link", name="Look for what needs attention").click()
    expect(page.get_by_role("heading", name="Alerts")).to_be_visible()
    assert sold.key not in page.content()


def test_the_keyboard_is_enough(owner: Page, site: VendorSite) -> None:
    owner.goto(f"{site.admin_url}/console/products")
    owner.keyboard.press("Tab")
    assert owner.evaluate("document.activeElement.textContent") == "To the content"
    for _ in range(4):
        owner.keyboard.press("Tab")
    owner.keyboard.press("Enter")
    expect(owner.get_by_role("heading", level=1)).to_have_text("Dashboard")


@pytest.mark.parametrize("name", list(PAGES))
def test_a_page_is_light_accessible_and_fits_a_phone(
    owner: Page, site: VendorSite, sold: Sold, photographer: Photographer, name: str
) -> None:
    owner.goto(f"{site.admin_url}/console{PAGES[name].format(license=sold.license_id)}")
    owner.wait_for_load_state("networkidle")
    photographer.take(owner, f"console-{name}")
    assert axe_by_day_and_night(owner) == []
    show_as(owner, "phone")
    assert not is_wider_than_its_window(owner)
    assert weight(owner) < MOST_BYTES


def test_the_sign_in_page_is_accessible_too(
    site: VendorSite, page: Page, photographer: Photographer
) -> None:
    page.goto(site.admin_url)
    photographer.take(page, "console-sign-in")
    assert axe_by_day_and_night(page) == []


def weight(page: Page) -> int:
    """Return the bytes of a page with all that it loads."""
    loaded = page.evaluate(
        "['navigation', 'resource'].flatMap(type => performance.getEntriesByType(type))"
        ".reduce((sum, entry) => sum + entry.decodedBodySize, 0)"
    )
    assert loaded > 0
    return int(loaded)
