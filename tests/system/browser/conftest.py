"""A vendor's whole service, and a real browser in front of it."""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, StorageState

from support.chromium import Complaints, running_chromium
from support.page_checks import Photographer, show_as
from support.postgres import SharedPostgres
from support.vendor_site import VendorSite, serving_site


@pytest.fixture(scope="module")
def site(
    postgres: SharedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VendorSite]:
    """Serve a new vendor with one product."""
    folder, name = tmp_path_factory.mktemp("site"), f"browser_{uuid.uuid4().hex[:12]}"
    try:
        with serving_site(folder / "v", postgres.create(name)) as served:
            yield served
    finally:
        postgres.drop(name)


@pytest.fixture(scope="module")
def browser(site: VendorSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Run a browser: after the site's database is made, and gone before that is dropped."""
    with running_chromium(site.vendor.ca, tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Let visitors come: `new_page(java_script_enabled=False)` is one whom nothing is known of.

    No page of theirs may have an error of a script, or anything that its policy blocks.
    """
    contexts, heard = [], []

    def come(
        *, java_script_enabled: bool = True, storage_state: StorageState | None = None
    ) -> Page:
        context = browser.new_context(
            java_script_enabled=java_script_enabled, storage_state=storage_state
        )
        contexts.append(context)
        page = context.new_page()
        show_as(page, "light")
        heard.append(Complaints(page))
        return page

    yield come
    for context in contexts:
        context.close()
    assert [text for complaints in heard for text in complaints.texts] == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()


@pytest.fixture(scope="session")
def photographer(tmp_path_factory: pytest.TempPathFactory) -> Photographer:
    """Keep pictures in the folder of the variable SCREENSHOTS, or beside the test's other files."""
    named = os.environ.get("SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return Photographer(folder)
