"""How soon a browser paints the console's pages, and what they weigh: Chromium, TLS on loopback.

Each page is opened by a browser that has seen nothing of it, so all its files are loaded. Debian's
Chromium is needed: `tests/system/install` installs it.
"""

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, StorageState

from support.chromium import running_chromium
from support.vendor import Vendor, found_vendor

AT_MOST_MS: Final = 300
AT_MOST_KB: Final = 150
ROUNDS: Final = 15
_LICENSES: Final = 200
_PAINTED: Final = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
_LOADED: Final = (
    "['navigation', 'resource'].flatMap(type => performance.getEntriesByType(type))"
    ".reduce((sum, entry) => sum + entry.encodedBodySize, 0)"
)


def measure(folder: Path) -> Iterator[str]:
    """Open each page often, and tell the median and the 95th percentile of its first paint."""
    vendor = found_vendor(folder)
    vendor.create_product()
    license_id = vendor.sell("ada@example.com").license_id
    vendor.import_licenses(_LICENSES)
    pages = {
        "dashboard": "/",
        "licenses": "/licenses",
        "a license": f"/licenses/{license_id}",
        "audit log": "/audit",
    }
    with (
        vendor.serving() as server,
        running_chromium(vendor.ca, folder.with_name("home")) as browser,
    ):
        url = server.wait_for_event("server.listening", listener="admin")["url"]
        state = _signed_in(browser, vendor, url)
        for name, path in pages.items():
            seen = [_opened(browser, state, f"{url}/console{path}") for _ in range(ROUNDS)]
            yield _figure(name, [painted for painted, _ in seen], seen[-1][1])


def _signed_in(browser: Browser, vendor: Vendor, url: str) -> StorageState:
    context = browser.new_context()
    page = context.new_page()
    page.goto(url)
    page.get_by_text("Use an admin token instead").click()
    page.get_by_label("Admin token").fill(vendor.create_token()["token"])
    page.get_by_role("button", name="Sign in with the token").click()
    page.get_by_role("heading", name="Dashboard", level=1).wait_for()
    state = context.storage_state()
    context.close()
    return state


def _opened(browser: Browser, state: StorageState, url: str) -> tuple[float, float]:
    """Return the first paint in milliseconds and the weight in kilobytes of a page."""
    context = browser.new_context(storage_state=state)
    try:
        page = context.new_page()
        page.goto(url, wait_until="networkidle")
        return float(page.evaluate(_PAINTED)), page.evaluate(_LOADED) / 1000
    finally:
        context.close()


def _figure(name: str, painted: Sequence[float], kilobytes: float) -> str:
    median, p95 = statistics.median(painted), statistics.quantiles(painted, n=20)[-1]
    return (
        f"{name:<10} first paint, median {median:4.0f} ms   p95 {p95:4.0f} ms   "
        f"aim <= {AT_MOST_MS}   weight {kilobytes:4.0f} KB   aim <= {AT_MOST_KB}"
    )
