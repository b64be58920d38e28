"""From the sale of a license to a query, and to its end."""

import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from support.customer import Customer
from support.servers import RunningServer
from support.vendor import Vendor, found_vendor

TITLES = [{"title": "The Mill on the Floss"}, {"title": "Middlemarch"}]
LONG_SECONDS = 110


def read_titles(api: RunningServer, key: str) -> httpx.Response:
    return httpx.get(f"{api.url}/rest/v1/books?select=title&order=id", headers={"apikey": key})


def wait_for_status(api: RunningServer, key: str, status: int) -> httpx.Response:
    deadline = time.monotonic() + LONG_SECONDS
    while (answer := read_titles(api, key)).status_code != status:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.5)
    return answer


@pytest.mark.timeout(240)
def test_a_license_opens_the_data_api_until_it_is_revoked(
    tmp_path: Path, new_customer: Callable[[Vendor, str], Customer]
) -> None:
    vendor = found_vendor(tmp_path / "v")
    vendor.create_product("--refresh", "60s")
    with vendor.serving() as server:
        customer = new_customer(vendor, server.url)
        customer.activate()
        with customer.serving() as api:
            key = customer.create_key(api, "shop", "anon")
            assert read_titles(api, key).json() == TITLES

            vendor.withdraw("revoke", customer.sold)
            refused = wait_for_status(api, key, 403)

            assert set(refused.json()) == {"code", "message", "details", "hint"}
            assert httpx.get(f"{api.url}/api/health").json()["status"] == "ok"
            assert httpx.get(f"{api.url}/api/license/status").json()["code"] == "REVOKED"
        again = customer.run("db-api", "serve")
    assert again.returncode == 78
    assert again.stderr.startswith("license: REVOKED ")
    assert again.stderr.count("\n") == 1


def test_a_renewed_check_closes_and_opens_the_gate_at_once(
    vendor: Vendor, customer: Customer
) -> None:
    with customer.serving() as api:
        key = customer.create_key(api, "shop", "service_role")
        check = {"licenseKey": customer.sold.key, "email": customer.sold.email}

        vendor.withdraw("suspend", customer.sold)
        answer = httpx.post(f"{api.url}/api/license/validate", json=check).json()
        assert (answer["valid"], answer["code"]) == (False, "SUSPENDED")
        assert read_titles(api, key).status_code == 403

        vendor.withdraw("reinstate", customer.sold)
        assert httpx.post(f"{api.url}/api/license/validate", json=check).json()["valid"] is True
        assert read_titles(api, key).json() == TITLES


def test_without_a_license_server_a_start_from_the_cache_says_grace(
    tmp_path: Path, new_customer: Callable[[Vendor, str], Customer]
) -> None:
    vendor = found_vendor(tmp_path / "v")
    vendor.create_product("--refresh", "60s", "--lease", "60s")
    with vendor.serving() as server:
        customer = new_customer(vendor, server.url)
        customer.activate()
    while customer.status()["state"] != "GRACE_OFFLINE":
        time.sleep(0.2)
    with customer.serving() as api:
        api.wait_for_event("license.state", state="GRACE_OFFLINE")
        key = customer.create_key(api, "shop", "anon")
        assert read_titles(api, key).json() == TITLES
        status = httpx.get(f"{api.url}/api/license/status").json()
    assert (status["valid"], status["status"]) == (True, "grace_period")


def test_a_key_typed_with_a_typo_is_refused_without_a_call(customer: Customer) -> None:
    wrong = customer.sold.key[:-1] + ("0" if customer.sold.key[-1] != "0" else "1")
    done = customer.run(
        "activate-license", "-k", wrong, "-e", customer.sold.email, "-s", "https://127.0.0.1:9"
    )
    assert done.returncode == 6
    assert wrong not in done.stdout + done.stderr
    assert customer.status()["usable"] is True
