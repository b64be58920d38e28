"""Asking for a trial: an address goes out, and nothing that comes back is believed."""

import json

import pytest

from license_client import (
    AsyncLicenseClient,
    ConfigurationError,
    EmailMalformedError,
    OfflineError,
)
from license_client.testing.simulator import Simulator, unreachable
from support.client_machine import Machine
from support.switches import saying


def test_a_mistyped_address_is_refused_before_anything_is_sent(
    machine: Machine, server: Simulator
) -> None:
    with pytest.raises(EmailMalformedError):
        machine.start().request_trial("nobody")

    assert server.trials == []


def test_without_a_server_there_is_nobody_to_ask(machine: Machine) -> None:
    with pytest.raises(ConfigurationError, match="LICENSE_SERVER_URL"):
        machine.start(server_url=None).request_trial("bob@example.com")


@pytest.mark.parametrize("status", [200, 302, 400, 403, 404, 429, 500, 503])
def test_whatever_is_no_202_means_that_nobody_took_the_request(
    machine: Machine, server: Simulator, status: int
) -> None:
    server.switch = saying(status, b'{"code": "TRIAL_USED"}')

    with pytest.raises(OfflineError, match=f"answered {status} TRIAL_USED, unsigned"):
        machine.start().request_trial("bob@example.com")


def test_a_server_that_is_down_is_offline(machine: Machine, server: Simulator) -> None:
    server.switch = unreachable

    with pytest.raises(OfflineError):
        machine.start().request_trial("bob@example.com")


def test_a_server_that_is_busy_says_when_to_come_again(machine: Machine, server: Simulator) -> None:
    server.switch = saying(429, retry_after="7")

    with pytest.raises(OfflineError) as raised:
        machine.start().request_trial("bob@example.com")

    assert raised.value.retry_after_seconds == 7


def test_address_and_product_are_all_that_is_told(machine: Machine, server: Simulator) -> None:
    client = machine.start(license_key=None, email=None)

    client.request_trial(" Bob@Example.COM ")

    assert server.trials == [{"email": "bob@example.com", "product": "demo-product"}]
    assert server.requests == []


def test_a_license_that_is_there_stays_as_it_is(machine: Machine) -> None:
    client = machine.start()
    before = client.activate()
    cached = machine.cache.read_bytes()

    client.request_trial("bob@example.com")

    assert client.status() == before
    assert machine.cache.read_bytes() == cached


@pytest.mark.anyio
async def test_the_asynchronous_client_asks_the_same(machine: Machine, server: Simulator) -> None:
    await AsyncLicenseClient._over(machine.start()).request_trial("bob@example.com")

    assert json.dumps(server.trials) == (
        '[{"email": "bob@example.com", "product": "demo-product"}]'
    )
