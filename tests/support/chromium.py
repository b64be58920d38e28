"""Debian's Chromium, driven by Playwright, which trusts the authority of the tests.

Playwright's loop runs in the thread of the tests as long as the browser does: there
`asyncio.run` is refused meanwhile. What needs it (a new database, say) comes before the browser.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, sync_playwright

CHROMIUM: Final = Path("/usr/bin/chromium")
_OPTIONS: Final = (
    "--no-sandbox",  # CI is root in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_REFUSED: Final = "Failed to load resource: the server responded with a status of"


@contextmanager
def running_chromium(ca: Path, home: Path) -> Iterator[Browser]:
    """Run the browser.

    Args:
        ca: the certificate of the authority that it trusts beside the usual ones, PEM.
        home: an empty folder, where it finds that.
    """
    assert CHROMIUM.exists(), "chromium is not installed: run `make test-system`"
    _trust(ca, home)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=_OPTIONS, env={**os.environ, "HOME": str(home)}
        )
        try:
            yield browser
        finally:
            browser.close()


class Complaints:
    """What the browser says is wrong with a page: errors of scripts, and what a policy blocked.

    A refused request is none: whether it should be refused is what tests ask.

    Attributes:
        texts: oldest first.
    """

    def __init__(self, page: Page) -> None:
        self.texts: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", self._note)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_REFUSED):
            self.texts.append(message.text)

    def _note(self, error: Error) -> None:
        self.texts.append(str(error))


def _trust(ca: Path, home: Path) -> None:
    database = home / ".pki" / "nssdb"  # where Chromium looks
    database.mkdir(parents=True)
    certutil = ("certutil", "-d", f"sql:{database}")
    for line in (("-N", "--empty-password"), ("-A", "-t", "C,,", "-n", "tests", "-i", str(ca))):
        subprocess.run([*certutil, *line], check=True)
