"""Replacing keys by the commands of KEYS.md while customers' programs run, and after a theft."""

import base64
import json
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.client_network import misbehaving
from support.customer import Customer
from support.manual import Follower
from support.vendor import Service, Vendor, found_vendor

OWNER = "ada@example.com"
NOWHERE = "https://127.0.0.1:9"
ACTIVE = {"usable": True, "state": "ACTIVE", "code": "VALID"}
pytestmark = pytest.mark.timeout(240)  # commands and servers, one after the other
DEAD = {"usable": False, "state": "UNLICENSED", "code": "DECISION_REJECTED"}


@pytest.fixture
def vendor(tmp_path: Path) -> Vendor:
    """Found a vendor whose keys are this test's alone."""
    vendor = found_vendor(tmp_path / "v")
    vendor.create_product()
    assert vendor.trust.exists()  # made now, of the first key set: older than all that comes
    return vendor


@pytest.fixture
def new_customer(vendor: Vendor, tmp_path: Path) -> Callable[[str], Customer]:
    """Make machines of one customer, whose caches a test can read."""
    sold = vendor.sell(OWNER)

    def make(name: str) -> Customer:
        folder = tmp_path / name
        folder.mkdir()
        return Customer(folder, NOWHERE, vendor.ca, vendor.trust, sold, encryption_key="")

    return make


def decoded(part: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def cached(customer: Customer) -> dict[str, Any]:
    return dict(json.loads(customer.cache.read_bytes())["doc"])


def signer_of(customer: Customer) -> str:
    """Return the kid of the key that signed the decision in a cache."""
    return str(decoded(cached(customer)["decision"].partition(".")[0])["kid"])


def epochs_of(customer: Customer) -> list[int]:
    """Return the epochs of the key sets in a cache."""
    return [decoded(one["payload"])["epoch"] for one in cached(customer)["keyset"]]


def key_sets(vendor: Vendor, url: str, since: int = 0) -> list[Any]:
    """Return the key sets that a server gives to everybody."""
    trusted = ssl.create_default_context(cafile=vendor.ca)
    answer = httpx.get(f"{url}/v1/keyset?since={since}", verify=trusted)
    return list(answer.json()["keyset"])


def refresh_against(customer: Customer, documents: list[Any]) -> tuple[int, str]:
    """Let a client meet key sets that come with no decision; return exit status and code."""
    body = json.dumps({"decision": "none", "keyset": documents}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"

    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(head.encode() + body)
        over.wait()

    with misbehaving(answer) as url:
        done = replace(customer, server_url=url).run("license-client", "refresh", "--json")
    return done.returncode, json.loads(done.stdout)["code"]


def test_a_running_client_follows_when_a_signing_key_is_replaced(
    vendor: Vendor, new_customer: Callable[[str], Customer]
) -> None:
    with Service(vendor) as service:
        customer, other = (
            replace(new_customer(name), server_url=service.server.url) for name in ("a", "b")
        )
        other.activate()
        old = signer_of(other)
        with customer.program() as program:
            seen = [program("activate")]

            def restart() -> None:
                service.restart()
                seen.append(program("validate"))

            new, *_ = Follower(vendor, restart).follow("Replace a signing key")

        assert seen == [ACTIVE] * 4  # once, and after each of three steps
        assert signer_of(customer) == new != old
        assert epochs_of(customer) == [3]
        newest = key_sets(vendor, service.server.url)

    # what the old key signed stays good, also for who knows that it was replaced
    assert refresh_against(other, newest) == (7, "DECISION_REJECTED")
    assert (signer_of(other), epochs_of(other)) == (old, [3])
    assert replace(other, server_url=NOWHERE).status()["state"] == "ACTIVE"


def test_a_stolen_signing_key_is_worth_nothing_after_the_drill(
    vendor: Vendor, tmp_path: Path, new_customer: Callable[[str], Customer]
) -> None:
    customers = [new_customer(name) for name in ("told", "holder", "cut-off")]
    thief = vendor.copied_to(tmp_path / "thief")
    with thief.serving() as fake, Service(vendor) as service:
        told, holder, cut_off = (replace(one, server_url=service.server.url) for one in customers)
        for one in (told, holder, cut_off):
            one.activate()
        stolen = signer_of(holder)
        drill = Follower(vendor, service.restart)
        new, *_ = drill.follow("The signing key may be stolen", {"STOLEN-KID": stolen})

        # who has heard of it believes the thief no more
        assert told.run("license-client", "refresh").returncode == 0
        assert signer_of(told) == new
        before = told.cache.read_bytes()
        deceived = replace(told, server_url=fake.url).run("license-client", "refresh", "--json")
        assert deceived.returncode == 7
        assert json.loads(deceived.stdout)["code"] == "DECISION_REJECTED"
        assert told.cache.read_bytes() == before

        # the thief's decision dies in the cache of a running program, and after its restart
        with holder.program() as program:
            assert program("status") == ACTIVE
            refresh_against(holder, key_sets(vendor, service.server.url))
            assert signer_of(holder) == stolen
            assert program("status") == DEAD
            offline = replace(holder, server_url=NOWHERE)
            assert offline.status()["code"] == "DECISION_REJECTED"
            assert offline.run("license-client", "refresh").returncode == 5
            assert program("validate") == ACTIVE
        assert signer_of(holder) == new
        assert offline.status()["state"] == "ACTIVE"

        # the limit that the manual names: who hears nothing of it goes on believing him
        cut_off = replace(cut_off, server_url=fake.url)
        assert cut_off.run("license-client", "refresh").returncode == 0
        assert signer_of(cut_off) == stolen


def test_a_client_alternates_between_servers_that_sign_with_the_old_and_the_new_key(
    vendor: Vendor, tmp_path: Path, new_customer: Callable[[str], Customer]
) -> None:
    customer = new_customer("a")
    kid = vendor.command("keys", "new").strip()
    signed = str(tmp_path / "keyset-2.json")
    draft, root = str(vendor.folder / "keyset-draft.json"), str(vendor.folder / "root.key")
    vendor.command("keyset", "sign", draft, "--root", root, "-o", signed)
    vendor.command("keyset", "install", signed)
    second = vendor.copied_to(tmp_path / "second")
    second.command("keys", "promote", kid)
    signers = []
    with vendor.serving() as server, second.serving() as other:
        for url in (server.url, other.url) * 3:
            done = replace(customer, server_url=url).run("license-client", "activate")
            assert done.returncode == 0, done.stderr
            signers.append(signer_of(customer))
    assert signers == [signers[0], kid] * 3
    assert signers[0] != kid


def test_a_client_several_changes_of_roots_behind_walks_the_whole_chain(
    vendor: Vendor, new_customer: Callable[[str], Customer]
) -> None:
    customer, skipping = new_customer("a"), new_customer("b")
    first = json.loads(vendor.trust.read_bytes())
    with Service(vendor) as service:
        desk = vendor.folder.parent
        follower = Follower(vendor, service.restart)
        follower.follow("Several roots")
        retired = decoded(first["payload"])["roots"][0]["kid"]
        vendor.command("keyset", "draft", "--remove-root", retired)
        draft, signed = str(vendor.folder / "keyset-draft.json"), str(desk / "keyset-3.json")
        roots = [f"--root={desk / name}" for name in ("two.key", "three.key")]
        vendor.command("keyset", "sign", draft, *roots, "-o", signed)
        vendor.command("keyset", "install", signed)
        service.restart()
        replace(customer, server_url=service.server.url).activate()
        second, third = key_sets(vendor, service.server.url, since=1)

    assert epochs_of(customer) == [2, 3]
    before = customer.cache.read_bytes()
    for older in (first, second):
        assert refresh_against(customer, [older]) == (7, "KEYSET_REJECTED")
    assert customer.cache.read_bytes() == before
    assert customer.status()["state"] == "ACTIVE"

    # whoever has seen neither may leave none out
    assert refresh_against(skipping, [third]) == (7, "KEYSET_REJECTED")
    assert refresh_against(skipping, [second, third]) == (7, "DECISION_REJECTED")
    assert epochs_of(skipping) == [2, 3]
