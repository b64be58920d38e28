"""How a program starts: at once from a usable cache, otherwise with bounded patience."""

from pathlib import Path

import pytest

from license_client import AsyncLicenseClient, ConfigurationError, State
from license_client.testing.simulator import License, Simulator, unreachable
from license_client.testing.vendor import Pair
from support.client_machine import Machine
from support.switches import saying, signing_with


def test_a_usable_cache_starts_it_without_the_network(machine: Machine, server: Simulator) -> None:
    machine.start().activate()
    server.switch = unreachable
    assert machine.start().start().state is State.ACTIVE
    assert len(server.requests) == 1


def test_without_one_this_machine_is_activated(machine: Machine, server: Simulator) -> None:
    assert machine.start().start().usable
    assert [request.operation for request in server.requests] == ["activate"]


def test_a_server_that_comes_up_within_the_patience_is_met(
    machine: Machine, server: Simulator
) -> None:
    def down_once(simulator: Simulator, request: object) -> object:
        simulator.switch = None
        raise OSError(f"nobody there for {type(request).__name__}")

    server.switch = down_once  # type: ignore[assignment]  # it never returns
    assert machine.start(start_wait=30.0).start().usable
    assert len(server.requests) == 2


@pytest.mark.parametrize("switch", [unreachable, saying(403, b'{"code":"REVOKED"}')])
def test_a_server_that_stays_away_leaves_it_closed_and_says_so(
    machine: Machine, server: Simulator, switch: object
) -> None:
    server.switch = switch  # type: ignore[assignment]  # either is a switch
    status = machine.start(start_wait=0.5).start()
    assert (status.usable, status.state, status.code) == (False, State.UNLICENSED, "OFFLINE")
    assert "the license server" in status.message


def test_a_server_that_asks_to_be_left_alone_for_longer_is(
    machine: Machine, server: Simulator
) -> None:
    server.switch = saying(503, b"", Retry_After="600")
    assert machine.start(start_wait=30.0).start().code == "OFFLINE"
    assert len(server.requests) == 1


def test_an_answer_of_somebody_else_is_not_asked_for_again(
    machine: Machine, server: Simulator
) -> None:
    server.switch = signing_with(Pair("somebody"))
    assert machine.start(start_wait=30.0).start().code == "DECISION_REJECTED"
    assert len(server.requests) == 1


def test_a_signed_no_is_final_and_a_later_yes_opens(
    machine: Machine, license_: License, server: Simulator
) -> None:
    server.change(license_, code="EXPIRED")
    assert machine.start().start().code == "EXPIRED"
    server.change(license_, code="VALID")
    assert machine.start().start().usable


def test_a_cached_no_stays_the_reason_while_nobody_answers(
    machine: Machine, license_: License, server: Simulator
) -> None:
    server.change(license_, code="REVOKED")
    machine.start().start()
    server.switch = unreachable
    status = machine.start(start_wait=0.0).start()
    assert status.code == "REVOKED"
    assert "cannot be reached" in status.message


@pytest.mark.parametrize(
    ("missing", "name"),
    [
        ({"server_url": None}, "LICENSE_SERVER_URL"),
        ({"license_key": None, "email": None}, "LICENSE_KEY and LICENSE_EMAIL"),
    ],
)
def test_a_setting_that_is_missing_is_named(
    machine: Machine, missing: dict[str, None], name: str
) -> None:
    status = machine.start(**missing).start()
    assert (status.usable, status.code) == (False, "CONFIG_INVALID")
    assert name in status.message


def test_a_damaged_cache_stays_the_reason_while_nobody_answers(
    machine: Machine, server: Simulator
) -> None:
    machine.start().activate()
    machine.cache.write_bytes(machine.cache.read_bytes()[:-9])
    server.switch = unreachable
    status = machine.start(start_wait=0.0).start()
    assert status.code == "CACHE_UNREADABLE"
    assert "cannot be reached" in status.message


@pytest.mark.parametrize("wait", [-1.0, 3_601.0, float("nan")])
def test_a_patience_that_is_none_is_refused(machine: Machine, wait: float) -> None:
    with pytest.raises(ConfigurationError, match="start_wait: expected a number of seconds"):
        machine.start(start_wait=wait)


@pytest.mark.anyio
async def test_an_asyncio_program_starts_alike(machine: Machine) -> None:
    assert (await AsyncLicenseClient._over(machine.start()).start()).usable


def test_another_key_is_checked_with_the_configured_email(
    machine: Machine, server: Simulator
) -> None:
    other = server.sell(2)
    assert machine.start().check(other.key).usable
    assert server.requests[-1].members["email"] == machine.options["email"]


def test_a_client_certificate_that_is_not_there_is_named(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="client_cert: no file at"):
        machine.start(client_cert=tmp_path / "missing.pem")
