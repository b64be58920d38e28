"""The asynchronous client: the same answers, and a loop that never waits."""

import asyncio
import threading

import pytest

from license_client import AsyncLicenseClient, OfflineError, State
from license_client.testing.simulator import Simulator, unreachable
from support.client_machine import Machine
from support.switches import hanging

pytestmark = pytest.mark.anyio


def started(machine: Machine) -> AsyncLicenseClient:
    return AsyncLicenseClient._over(machine.start())


async def test_it_answers_as_the_other_one_does(machine: Machine) -> None:
    client = started(machine)
    assert (await client.status()).state is State.UNLICENSED
    activated = await client.activate()
    assert activated == await client.status() == machine.start().status()
    assert (await client.validate()).usable
    assert (await client.refresh_if_due()).usable
    assert (await client.check(*credentials(machine))).usable
    assert (await client.deactivate()).state is State.DEACTIVATED


def credentials(machine: Machine) -> tuple[str, str]:
    key, email = machine.options["license_key"], machine.options["email"]
    assert key is not None
    assert email is not None
    return key, email


async def test_it_raises_what_the_other_one_raises(machine: Machine, server: Simulator) -> None:
    server.switch = unreachable
    with pytest.raises(OfflineError):
        await started(machine).activate()


async def test_the_loop_runs_on_while_a_server_hangs(machine: Machine, server: Simulator) -> None:
    reached, released = threading.Event(), threading.Event()
    server.switch = hanging(released, reached)
    call = asyncio.create_task(started(machine).activate())
    await asyncio.to_thread(reached.wait)
    released.set()
    with pytest.raises(OfflineError):
        await call


async def test_a_call_that_is_given_up_disturbs_nobody(machine: Machine, server: Simulator) -> None:
    reached, released = threading.Event(), threading.Event()
    server.switch = hanging(released, reached)
    client = started(machine)
    call = asyncio.create_task(client.activate())
    await asyncio.to_thread(reached.wait)
    call.cancel()
    released.set()
    with pytest.raises(asyncio.CancelledError):
        await call
    server.switch = None
    assert (await client.activate()).usable
