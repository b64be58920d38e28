"""That what looks at the pages sees: a tool that finds nothing would let everything through."""

import hashlib

from playwright.sync_api import Browser, Page

from support.chromium import Complaints
from support.page_checks import (
    AXE,
    LOOKS,
    Photographer,
    axe,
    axe_by_day_and_night,
    is_wider_than_its_window,
    show_as,
)
from support.vendor_site import VendorSite

FAULTY = """
<!doctype html><html lang="en"><title>Faults</title><main><h1>Faults</h1>
<img src="data:,"><p style="color: #bbb; background: #fff">Who can read this?</p></main>
"""
UNREADABLE_AT_NIGHT = """
<!doctype html><html lang="en"><title>Night</title><style>
@media (prefers-color-scheme: dark) {body {background: #000; color: #222}}
</style><main><h1>Night</h1></main>
"""
INLINE_SCRIPT = """
document.head.append(Object.assign(document.createElement("script"), {text: "0"}))
"""


def test_axe_is_the_file_that_its_readme_names() -> None:
    readme = AXE.with_name("README.md").read_text(encoding="utf-8")
    version = AXE.read_text(encoding="utf-8").partition("axe v")[2].split()[0]
    digest = hashlib.sha256(AXE.read_bytes()).hexdigest()
    assert f"| {version} | {digest} |" in readme


def test_axe_finds_the_faults_of_a_page(page: Page) -> None:
    page.set_content(FAULTY)
    found = {line.partition(" ")[0] for line in axe(page)}
    assert found == {"image-alt", "color-contrast"}


def test_axe_finds_what_cannot_be_read_at_night_alone(page: Page) -> None:
    page.set_content(UNREADABLE_AT_NIGHT)
    assert axe(page) == []
    assert [line.partition(" ")[0] for line in axe_by_day_and_night(page)] == ["color-contrast"]


def test_a_page_that_is_wider_than_a_phone_is_noticed(page: Page) -> None:
    show_as(page, "phone")
    page.set_content("<p style='width: 600px'>wide</p>")
    assert is_wider_than_its_window(page)


def test_each_look_is_a_picture_of_its_own(page: Page, photographer: Photographer) -> None:
    page.set_content("<style>@media (prefers-color-scheme: dark) {body {background: #000}}</style>")
    photographer.take(page, "tools")
    pictures = {(photographer.folder / f"tools-{look}.png").read_bytes() for look in LOOKS}
    assert len(pictures) == len(LOOKS)


def test_what_a_policy_blocks_is_noticed(site: VendorSite, browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        complaints = Complaints(page)
        page.goto(f"{site.admin_url}/docs")
        assert complaints.texts == []
        page.evaluate(INLINE_SCRIPT)
        assert "Content Security Policy" in complaints.texts[0]
