"""Operators of a served console, and how they come in by a browser."""

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

from playwright.sync_api import Page

from license_server.totp import code_at
from support.vendor_site import VendorSite


@dataclass(frozen=True)
class Person:
    """An operator, with what it signs in by.

    Attributes:
        name: of the operator.
        password: made for it.
        totp_secret: of its authenticator app, base32.
    """

    name: str
    password: str = field(repr=False)
    totp_secret: str = field(repr=False)

    def code(self) -> str:
        """Return what its app shows now."""
        return code_at(base64.b32decode(self.totp_secret), datetime.now(UTC))

    def fill_in(self, page: Page) -> None:
        """Type what is asked for on the sign-in page, and send it."""
        page.get_by_label("Name").fill(self.name)
        page.get_by_label("Password").fill(self.password)
        page.get_by_label("Code of your authenticator app").fill(self.code())
        page.get_by_role("button", name="Sign in", exact=True).click()

    def sign_in(self, page: Page, site: VendorSite) -> None:
        """Open the console and sign in."""
        page.goto(site.admin_url)
        self.fill_in(page)
        page.get_by_role("heading", name="Dashboard", level=1).wait_for()


def enroll(site: VendorSite, name: str, role: str = "owner") -> Person:
    """Make an operator, as the command line does."""
    return read_person(site.vendor.command("operator", "add", name, "--role", role, "--json"))


def read_person(text: str) -> Person:
    """Read what the command line says of a new operator, or of one with new secrets."""
    made = json.loads(text)
    return Person(made["name"], made["password"], made["totp_secret"])
