"""The portal as customers use it: a link from a real mail, a real browser, TLS, PostgreSQL."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from support.customer import Customer
from support.page_checks import (
    Photographer,
    axe_by_day_and_night,
    is_wider_than_its_window,
    show_as,
)
from support.vendor import PRODUCT, Sold
from support.vendor_site import VendorSite

COOKIE = "__Host-portal"
LINK = re.compile(r"https://\S+/portal/enter/[0-9a-z]{32}")


def link_for(page: Page, site: VendorSite, email: str, number: int = 1) -> str:
    """Ask for a link, and return it as the mail holds it."""
    page.goto(f"{site.public_url}/portal/")
    page.get_by_label("Email that you bought with").fill(email)
    page.get_by_role("button", name="Mail me a link").first.click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    body = site.mailbox.wait_for_mail(email, number).get_body(("plain",))
    assert body is not None
    found = LINK.search(body.get_content())
    assert found, body.get_content()
    return found[0]


def sign_in(page: Page, site: VendorSite, email: str) -> None:
    page.goto(link_for(page, site, email))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Your licenses")).to_be_visible()


def test_a_customer_comes_by_mail_and_looks_after_a_license(
    site: VendorSite, page: Page, photographer: Photographer, tmp_path: Path
) -> None:
    sold = site.vendor.sell("carol@example.com")
    machine = Customer(tmp_path / "m", site.server.url, site.vendor.ca, site.vendor.trust, sold)
    assert machine.run("license-client", "activate").returncode == 0
    sign_in(page, site, sold.email)
    photographer.take(page, "portal-licenses")
    page.get_by_role("link", name=PRODUCT).click()
    photographer.take(page, "portal-license")

    page.get_by_role("link", name="Lost or leaked key").click()
    page.get_by_role("button", name="End the old key and make a new one").click()
    key = page.locator("#key").inner_text()
    photographer.take(page, "portal-key")
    assert machine.run("license-client", "refresh").returncode == 3
    new = Customer(
        tmp_path / "n", site.server.url, site.vendor.ca, site.vendor.trust,
        Sold(sold.license_id, key, sold.email),
    )  # fmt: skip
    assert new.run("license-client", "activate").returncode == 0

    page.get_by_role("link", name="To the license").click()
    expect(page.get_by_role("row", name="live")).to_have_count(2)
    page.get_by_role("link", name="Remove").first.click()
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_role("status")).to_contain_text("forgotten")
    expect(page.get_by_role("row", name="live")).to_have_count(1)

    page.get_by_role("link", name="License file").click()
    page.get_by_label("License key").fill(key)
    page.get_by_label("Id of the deployment").fill("offline-1")
    with page.expect_download() as download:
        page.get_by_role("button", name="Make and download it").click()
    assert download.value.path().read_text().startswith("-----BEGIN LICENSE FILE-----")
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{site.public_url}/portal/licenses")
    expect(page.get_by_role("button", name="Mail me a link").first).to_be_visible()


def test_a_link_works_in_one_browser_once(site: VendorSite, new_page: Callable[..., Page]) -> None:
    first, second = new_page(), new_page()
    site.vendor.sell("dave@example.com")
    link = link_for(first, site, "dave@example.com")
    for page in (first, second):
        page.goto(link)
    first.get_by_role("button", name="Sign in").click()
    expect(first.get_by_role("heading", name="Your licenses")).to_be_visible()
    second.get_by_role("button", name="Sign in").click()
    expect(second.get_by_role("alert")).to_contain_text("used or is over")
    assert COOKIE not in {cookie["name"] for cookie in second.context.cookies()}


def test_nobody_learns_who_is_a_customer(site: VendorSite, new_page: Callable[..., Page]) -> None:
    site.vendor.sell("erin@example.com")
    texts = set()
    for email in ("erin@example.com", "stranger@example.com"):
        page = new_page()
        page.goto(f"{site.public_url}/portal/")
        page.get_by_label("Email that you bought with").fill(email)
        page.get_by_role("button", name="Mail me a link").first.click()
        texts.add(page.get_by_role("main").inner_text())
    assert len(texts) == 1


def test_a_trial_goes_to_a_new_address(site: VendorSite, page: Page) -> None:
    page.goto(f"{site.public_url}/portal/?product={PRODUCT}")
    page.get_by_label("Your email").fill("frank@example.com")
    page.get_by_role("button", name="Mail me a key").click()
    body = site.mailbox.wait_for_mail("frank@example.com").get_body(("plain",))
    assert body is not None
    assert re.search(r"LIC(-[0-9A-Z]{5}){6}", body.get_content())


@pytest.mark.parametrize("path", ["/", "/portal/", "/portal/enter/" + "0" * 32])
def test_an_open_page_is_accessible_and_fits_a_phone(
    site: VendorSite, page: Page, photographer: Photographer, path: str
) -> None:
    page.goto(f"{site.public_url}{path}")
    photographer.take(
        page, f"portal-open-{path.strip('/').partition('/')[0] or 'about'}-{len(path)}"
    )
    assert axe_by_day_and_night(page) == []
    show_as(page, "phone")
    assert not is_wider_than_its_window(page)


def test_pages_of_a_customer_are_accessible_and_fit_a_phone(site: VendorSite, page: Page) -> None:
    sold = site.vendor.sell("gina@example.com")
    sign_in(page, site, sold.email)
    path = f"/portal/licenses/{sold.license_id}"
    for address in ("/portal/licenses", path, f"{path}/key", f"{path}/file", "/portal/trial"):
        page.goto(f"{site.public_url}{address}")
        assert axe_by_day_and_night(page) == [], address
        show_as(page, "phone")
        assert not is_wider_than_its_window(page), address
        show_as(page, "light")
