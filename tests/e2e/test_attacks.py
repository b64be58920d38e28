"""What a customer, or whoever sits between, may try; the data API must not be taken in."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.customer import Customer
from support.vendor import Sold, Vendor, found_vendor

NOWHERE = "https://127.0.0.1:9"


def require_closed(customer: Customer) -> str:
    """Return the one line with which the data API refuses to start."""
    done = customer.run("db-api", "serve")
    assert done.returncode == 78, done.stderr
    assert done.stderr.startswith("license: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_a_cache_with_one_flipped_byte_opens_nothing(customer: Customer) -> None:
    content = bytearray(customer.cache.read_bytes())
    content[len(content) // 2] ^= 1
    customer.cache.write_bytes(content)

    require_closed(replace(customer, server_url=NOWHERE))

    assert customer.cache.with_name("license.json.corrupt").read_bytes() == content


def test_a_copied_cache_opens_nothing_for_another_owner(
    vendor: Vendor, customer: Customer, tmp_path: Path
) -> None:
    thief = vendor.sell("eve@example.com")
    require_closed(replace(customer.on_another_machine(tmp_path / "b", thief), server_url=NOWHERE))


def test_a_copied_cache_opens_nothing_for_another_email(customer: Customer, tmp_path: Path) -> None:
    other = Sold(customer.sold.license_id, customer.sold.key, "eve@example.com")
    require_closed(replace(customer.on_another_machine(tmp_path / "b", other), server_url=NOWHERE))


def test_the_same_owner_starts_on_a_second_machine(customer: Customer, tmp_path: Path) -> None:
    second = replace(customer.on_another_machine(tmp_path / "b"), server_url=NOWHERE)
    with second.serving() as api:
        api.wait_for_event("license.state", state="ACTIVE")


@pytest.fixture
def deceived(customer: Customer, tmp_path: Path) -> Iterator[Customer]:
    """Point the customer at a fake server: good TLS, our product, keys of its own."""
    fake = found_vendor(tmp_path / "fake")
    fake.create_product()
    with fake.serving() as server:
        yield replace(customer, server_url=server.url, ca=fake.ca)


def test_a_fake_server_is_not_believed(deceived: Customer, tmp_path: Path) -> None:
    line = require_closed(replace(deceived, folder=tmp_path / "empty"))
    assert "DECISION_REJECTED" in line or "KEYSET_REJECTED" in line


def test_a_fake_server_does_not_touch_a_good_cache(deceived: Customer) -> None:
    before = deceived.cache.read_bytes()
    refused = deceived.run("license-client", "refresh", "--json")
    assert refused.returncode == 7, refused.stderr
    assert deceived.cache.read_bytes() == before
    assert deceived.status()["state"] == "ACTIVE"


@pytest.mark.parametrize("url", ["http://10.1.2.3", "http://127.0.0.1.example.com", "ftp://h"])
def test_an_unprotected_way_to_the_server_is_refused(customer: Customer, url: str) -> None:
    insecure = replace(customer, server_url=url)
    assert "LICENSE_SERVER_URL" in require_closed(insecure)
    status = insecure.run("license-client", "status", "--json")
    assert status.returncode == 6
    assert json.loads(status.stdout or "{}") == {} or "LICENSE_SERVER_URL" in status.stdout
