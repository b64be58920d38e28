"""A license from purchase to the end, as a program sees it."""

import json

from license_client import State
from license_client.testing.simulator import License, Simulator
from support.client_machine import Machine


def test_a_program_without_a_license_says_so_and_asks_nobody(
    machine: Machine, server: Simulator
) -> None:
    status = machine.start().status()
    assert (status.state, status.usable, status.code) == (State.UNLICENSED, False, "UNLICENSED")
    assert server.requests == []


def test_an_activated_license_is_usable_and_stays_so_after_a_restart(machine: Machine) -> None:
    activated = machine.start().activate()
    assert (activated.state, activated.usable, activated.code) == (State.ACTIVE, True, "VALID")
    assert machine.start().status() == activated


def test_a_revoked_license_is_a_status_and_no_error(
    machine: Machine, server: Simulator, license_: License
) -> None:
    client = machine.start()
    client.activate()
    server.change(license_, code="REVOKED")
    assert client.validate().state is State.REVOKED
    assert not machine.start().status().usable


def test_deactivation_empties_the_cache_and_keeps_the_identity(machine: Machine) -> None:
    client = machine.start()
    client.activate()
    assert client.deactivate().state is State.DEACTIVATED
    assert client.status().state is State.UNLICENSED
    assert client.activate().usable


def test_a_machine_without_a_cache_draws_one_id(machine: Machine, server: Simulator) -> None:
    client = machine.start()
    shown = [json.loads(client._core.payload())["instance_id"] for _ in range(2)]
    assert not machine.cache.exists()
    client.activate()
    assert {*shown} == {server.requests[0].members["instance_id"]}
