"""A clock that jumps, by a library that shows programs another time."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import trustme

from support.client_machine import Machine
from support.client_network import serving
from support.customer import Customer
from support.faulted_programs import program, settings_of
from support.faults import on_loopback
from support.vendor import Vendor, found_vendor

NOWHERE = "https://127.0.0.1:9"
LONG_SECONDS = 110
CALL_SECONDS = 30.0
JUMPS = ("+1h", "-1h", "+1d", "-1d", "+10y")


def with_clock(libfaketime: Path, **settings: str) -> dict[str, str]:
    """Return the environment that moves the wall clock and leaves the boot's clock alone."""
    return {
        "LD_PRELOAD": str(libfaketime),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_NO_CACHE": "1",
        **settings,
    }


def turn(clock: Path, shift: str) -> None:
    """Change the file of the false clock in one step: an empty one would be read as no time."""
    part = clock.with_suffix(".part")
    part.write_text(shift)
    part.rename(clock)


@pytest.fixture
def short_lived(tmp_path: Path, new_customer: Callable[[Vendor, str], Customer]) -> Customer:
    """Make a customer whose decision ends in a minute, and whose license server is gone."""
    vendor = found_vendor(tmp_path / "v")
    vendor.create_product("--refresh", "60s", "--lease", "60s", "--offline-grace", "60s")
    with vendor.serving() as server:
        customer = new_customer(vendor, server.url)
        customer.activate()
    return replace(customer, server_url=NOWHERE)


@pytest.mark.timeout(240)
def test_a_clock_set_back_does_not_revive_a_license(
    short_lived: Customer, libfaketime: Path
) -> None:
    while short_lived.status()["usable"]:
        time.sleep(1)
    for shift in ("-1h", "-30d", "-10y"):
        back = replace(short_lived, extra=with_clock(libfaketime, FAKETIME=shift))
        assert back.status()["state"] == "OFFLINE_GRACE_EXCEEDED"
        refused = back.run("db-api", "serve")
        assert refused.returncode == 78
        assert refused.stderr.startswith("license: OFFLINE_GRACE_EXCEEDED ")


def test_a_clock_that_is_wrong_but_has_gained_nothing_is_only_warned_of(
    customer: Customer, libfaketime: Path
) -> None:
    wrong = replace(customer, extra=with_clock(libfaketime, FAKETIME="-2h"))
    status = wrong.status()
    assert status["usable"] is True
    assert "CLOCK_SKEW" in status["warnings"]


@pytest.mark.timeout(240)
def test_a_clock_set_back_while_running_does_not_lengthen_a_license(
    short_lived: Customer, libfaketime: Path, tmp_path: Path
) -> None:
    clock = tmp_path / "clock"
    clock.write_text("+0")
    running = with_clock(libfaketime, FAKETIME_TIMESTAMP_FILE=str(clock))
    with replace(short_lived, extra=running).serving() as api:
        key = short_lived.create_key(api, "shop", "anon")
        turn(clock, "-1d")
        deadline = time.monotonic() + LONG_SECONDS
        while True:
            answer = httpx.get(f"{api.url}/rest/v1/books", headers={"apikey": key}, timeout=60)
            if answer.status_code == 403:
                break
            assert answer.status_code == 200
            assert time.monotonic() < deadline, "the license outlived its grace"
            time.sleep(0.5)


def test_a_clock_that_jumps_and_comes_back_closes_no_program(
    machine: Machine, authority: trustme.CA, libfaketime: Path, tmp_path: Path
) -> None:
    clock = tmp_path / "clock"
    clock.write_text("+0")
    with serving(machine.simulator, on_loopback(authority)) as url:
        settings = settings_of(machine, url, CALL_SECONDS)
        jumping = with_clock(libfaketime, FAKETIME_TIMESTAMP_FILE=str(clock))
        with program({**settings, **jumping}, CALL_SECONDS) as running:
            for shift in JUMPS:
                turn(clock, shift)
                wrong = running.tell("look")
                assert (wrong["usable"], "CLOCK_SKEW" in wrong["warnings"]) == (True, True), shift
                starting = {**settings, **with_clock(libfaketime, FAKETIME=shift)}
                with program(starting, CALL_SECONDS) as started:
                    assert started.start["usable"] is True, shift
                turn(clock, "+0")
                right = running.tell("look")
                assert (right["usable"], right["warnings"]) == (True, []), shift
