"""What a decision may replace: each trace of the contract's section of that name."""

from pathlib import Path

import pytest

from license_client import DecisionRejectedError, State
from license_client.testing.clock import DAY, HOUR
from license_client.testing.simulator import License, Simulator, unreachable
from support.client_machine import Machine, machine_of
from support.switches import claiming, replaying, swapping, to_operation

WITHDRAWALS = ("REVOKED", "SUSPENDED", "EXPIRED")
FAULTS = ("LICENSE_NOT_FOUND", "PRODUCT_MISMATCH")


@pytest.mark.parametrize("code", WITHDRAWALS)
def test_a_withdrawal_closes_the_gate_here_and_after_a_restart(
    machine: Machine, server: Simulator, license_: License, code: str
) -> None:
    client = machine.start()
    client.activate()
    server.change(license_, code=code)
    assert client.validate().code == code
    assert machine.start().status().state == code


@pytest.mark.parametrize("code", FAULTS)
def test_a_server_that_forgot_a_license_is_warned_of_and_the_license_goes_on(
    machine: Machine, server: Simulator, license_: License, code: str
) -> None:
    client = machine.start()
    client.activate()
    machine.clock.advance(HOUR)
    if code == "LICENSE_NOT_FOUND":
        server.licenses.clear()
    else:
        server.change(license_, product="other-product")
    told = client.validate()
    assert (told.state, told.usable) == (State.ACTIVE, True)
    assert "SERVER_CONTRADICTS" in told.warnings
    machine.clock.advance(14 * DAY)
    assert machine.start().status().state is State.OFFLINE_GRACE_EXCEEDED


def test_the_warning_goes_with_the_next_good_answer(
    machine: Machine, server: Simulator, license_: License
) -> None:
    client = machine.start()
    client.activate()
    server.licenses.clear()
    client.validate()
    server.change(license_)
    assert client.validate().warnings == ()


def test_a_key_that_never_was_good_is_told_and_remembered(
    machine: Machine, server: Simulator
) -> None:
    server.licenses.clear()
    assert machine.start().activate().state is State.LICENSE_NOT_FOUND
    assert machine.start().status().code == "LICENSE_NOT_FOUND"


def test_a_mistyped_email_does_not_touch_the_license(machine: Machine) -> None:
    before = machine.start().activate()
    told = machine.start(email="adda@example.com").activate()
    assert (told.state, told.usable) == (State.EMAIL_MISMATCH, False)
    assert machine.start().status() == before


def test_another_key_replaces_the_license_only_when_it_is_good(
    machine: Machine, server: Simulator
) -> None:
    before = machine.start().activate()
    other = server.sell(2, code="SUSPENDED", license_id="lic_" + "2" * 26)
    changed = machine.start(license_key=other.key)
    assert changed.activate().state is State.SUSPENDED
    assert changed.status().state is State.UNLICENSED
    assert machine.start().status() == before
    server.change(other, code="VALID")
    assert changed.activate().license_id == other.license_id
    assert machine.start().status().state is State.UNLICENSED


def test_a_check_of_another_key_is_answered_and_forgotten(
    machine: Machine, server: Simulator
) -> None:
    client = machine.start()
    before = client.activate()
    other = server.sell(2, email="bob@example.com", code="REVOKED")
    assert client.check(other.key, " Bob@Example.com ").state is State.REVOKED
    assert client.check(other.key, "ada@example.com").state is State.EMAIL_MISMATCH
    assert client.status() == machine.start().status() == before


def test_a_check_of_the_configured_key_counts(
    machine: Machine, server: Simulator, license_: License
) -> None:
    client = machine.start()
    client.activate()
    server.change(license_, code="REVOKED")
    assert client.check(license_.key.lower(), license_.email).state is State.REVOKED
    assert machine.start().status().state is State.REVOKED


def test_a_server_clock_that_ran_ahead_makes_no_license_immune(
    machine: Machine, server: Simulator, license_: License
) -> None:
    client = machine.start()
    server.clock_shift = 365 * DAY
    client.activate()
    server.clock_shift = 0
    assert client.validate().state is State.ACTIVE
    server.change(license_, code="REVOKED")
    assert client.validate().state is State.REVOKED


def test_a_server_clock_that_ran_ahead_locks_nobody_out(
    machine: Machine, server: Simulator
) -> None:
    client = machine.start()
    server.clock_shift = 365 * DAY
    assert client.activate().usable
    server.clock_shift = 0
    client.validate()
    machine.clock.reboot()
    machine.clock.advance(DAY)
    assert machine.start().status().state is State.GRACE_OFFLINE


def test_of_two_replicas_a_second_apart_the_later_answer_counts(
    machine: Machine, server: Simulator, license_: License
) -> None:
    client = machine.start()
    client.activate()
    server.change(license_, code="REVOKED")
    server.clock_shift = -1
    assert client.validate().state is State.REVOKED


@pytest.mark.parametrize("code", [*WITHDRAWALS, *FAULTS])
def test_a_proxy_that_asks_something_else_in_our_name_changes_nothing(
    machine: Machine, server: Simulator, license_: License, code: str
) -> None:
    client = machine.start()
    before = client.activate()
    server.change(license_, code=code if code in WITHDRAWALS else "VALID")
    recorded = server.answers[0]
    for switch in (
        swapping(license_key="0" * 30),
        swapping(email="eve@example.com"),
        swapping(product="other-product"),
        swapping(instance_id="another"),
        to_operation("deactivate"),
        replaying(recorded),
        claiming(ins="another"),
    ):
        server.switch = switch
        with pytest.raises(DecisionRejectedError):
            client.validate()
    assert machine.start().status() == before


def test_deactivation_forgets_the_license_and_keeps_the_identity(
    machine: Machine, server: Simulator
) -> None:
    client = machine.start()
    client.activate()
    first = server.requests[-1].members["instance_id"]
    assert client.deactivate().state is State.DEACTIVATED
    assert machine.start().status().state is State.UNLICENSED
    assert client.activate().usable
    assert server.requests[-1].members["instance_id"] == first


def test_a_copied_cache_works_for_the_same_owner(machine: Machine, tmp_path: Path) -> None:
    before = machine.start().activate()
    elsewhere = tmp_path / "another machine"
    elsewhere.mkdir()
    (elsewhere / "license.json").write_bytes(machine.cache.read_bytes())
    machine.clock.boot = "another boot"
    assert machine.start(cache_dir=elsewhere, instance_id="other").status() == before


def test_a_cache_of_another_owner_licenses_nobody(machine: Machine, server: Simulator) -> None:
    machine.start().activate()
    stranger = machine_of(server.sell(2, email="bob@example.com"), server, machine.folder)
    server.switch = unreachable
    status = stranger.start().status()
    assert (status.state, status.code) == (State.UNLICENSED, "UNLICENSED")
    assert "another key or owner" in status.message


def test_a_cache_of_another_product_licenses_nobody(machine: Machine) -> None:
    machine.start().activate()
    assert machine.start(product="other-product").status().state is State.UNLICENSED
