"""The documents of both APIs, as people read them in a browser."""

import pytest
from playwright.sync_api import Page

from support.page_checks import (
    Photographer,
    axe_by_day_and_night,
    is_wider_than_its_window,
    show_as,
)
from support.vendor_site import VendorSite

LISTENERS = ("public", "admin")


def address(site: VendorSite, listener: str) -> str:
    return f"{ {'public': site.public_url, 'admin': site.admin_url}[listener] }/docs"


@pytest.mark.parametrize("listener", LISTENERS)
def test_the_documents_are_accessible_in_every_look(
    site: VendorSite, page: Page, photographer: Photographer, listener: str
) -> None:
    page.goto(address(site, listener))
    photographer.take(page, f"docs-{listener}", whole=False)
    assert axe_by_day_and_night(page) == []


@pytest.mark.parametrize("listener", LISTENERS)
def test_the_documents_fit_on_a_phone(site: VendorSite, page: Page, listener: str) -> None:
    show_as(page, "phone")
    page.goto(address(site, listener))
    assert not is_wider_than_its_window(page)
