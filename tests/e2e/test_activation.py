"""A customer without a license: a trial by mail, an activation on the machine, no restart."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from support.customer import PASSWORD, USER, Customer
from support.servers import RunningServer
from support.vendor import Vendor

ADMIN = (USER, PASSWORD)
PATIENCE_SECONDS = 60
KEY = re.compile(r"LIC(?:-[0-9A-Z]{5}){6}")


@pytest.fixture
def unlicensed(
    new_customer: Callable[[Vendor, str], Customer], vendor: Vendor, license_server: RunningServer
) -> Customer:
    """Make a customer that has configured no license."""
    nothing = {"LICENSE_KEY": "", "LICENSE_EMAIL": "", "LICENSE_GATE": "lock"}
    return replace(new_customer(vendor, license_server.url), extra=nothing)


def until_open(api: RunningServer) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while httpx.get(f"{api.url}/api/schemas", auth=ADMIN).status_code != 200:
        assert time.monotonic() < deadline, api.log
        time.sleep(0.1)


def test_without_a_license_and_without_lock_nothing_is_served(unlicensed: Customer) -> None:
    done = replace(unlicensed, extra={**unlicensed.extra, "LICENSE_GATE": ""}).run(
        "db-api", "serve"
    )

    assert (done.returncode, done.stderr.count("\n")) == (78, 1)
    assert done.stderr.startswith("license: CONFIG_INVALID ")
    assert "LICENSE_KEY and LICENSE_EMAIL" in done.stderr


def test_a_license_that_is_refused_is_told_in_one_line(unlicensed: Customer) -> None:
    done = unlicensed.run("db-api", "activate", "-k", unlicensed.sold.key, "-e", "eve@example.com")

    assert done.returncode == 78
    assert done.stderr.splitlines()[-1].startswith("license: EMAIL_MISMATCH ")
    assert unlicensed.sold.key not in done.stdout + done.stderr


def test_a_trial_by_mail_opens_a_locked_service_for_good(
    unlicensed: Customer, vendor: Vendor
) -> None:
    with unlicensed.serving() as api:
        assert httpx.get(f"{api.url}/api/schemas", auth=ADMIN).json()["code"] == "DBAPI200"

        wish = {"email": "newcomer@example.com"}
        started = httpx.post(f"{api.url}/api/trial/start", json=wish, auth=ADMIN)
        assert started.status_code == 200, started.text
        key = mailed_key(vendor, "newcomer@example.com")

        done = unlicensed.run("db-api", "activate-license", "-k", key, "-e", wish["email"])
        assert done.returncode == 0, done.stderr
        until_open(api)
        trial = httpx.get(f"{api.url}/api/trial/status", auth=ADMIN).json()

    assert trial["status"] == "active"
    assert key not in done.stdout + done.stderr
    with replace(unlicensed, server_url="https://127.0.0.1:9").serving() as api:
        until_open(api)


def mailed_key(vendor: Vendor, address: str) -> str:
    """Return the key in the mail to an address, once the vendor's worker has sent it."""
    folder: Path = vendor.folder / "mail"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for mail in folder.glob("*.eml"):
            text = mail.read_text()
            if address in text and (found := KEY.search(text)):
                return found[0]
        time.sleep(0.1)
    raise AssertionError(f"no mail with a key came to {address}")
