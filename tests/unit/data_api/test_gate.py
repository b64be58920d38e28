import asyncio
import threading

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from db_api.errors import (
    LicenseClosedError,
)
from db_api.gatekeeper import LicensedApp
from db_api.license_gate import PRODUCT, gate_from_environment
from db_api.owner_file import Owner
from db_api.settings import SettingsError
from license_client.testing.clock import DAY, HOUR
from license_client.testing.simulator import Request, Simulator, unreachable
from license_client.testing.vendor import Pair
from support.licensed import LicensedMachine
from support.switches import saying, signing_with

pytestmark = pytest.mark.anyio


def test_a_gate_is_closed_before_it_was_opened(customer: LicensedMachine) -> None:
    assert not customer.new_gate().is_open


async def test_a_first_start_without_the_server_stays_closed_and_says_why(
    customer: LicensedMachine,
) -> None:
    customer.simulator.switch = unreachable

    gate = await customer.open_gate()

    assert not gate.is_open
    assert (gate.view.code, gate.view.status) == ("OFFLINE", "invalid")


@pytest.mark.parametrize("code", ["REVOKED", "SUSPENDED", "EMAIL_MISMATCH", "LICENSE_NOT_FOUND"])
async def test_a_signed_no_keeps_the_gate_closed(customer: LicensedMachine, code: str) -> None:
    customer.simulator.change(customer.license, code=code)

    gate = await customer.open_gate()

    assert not gate.is_open
    assert gate.view.code == code


async def test_a_server_with_other_keys_cannot_open_the_gate(customer: LicensedMachine) -> None:
    customer.simulator.switch = signing_with(Pair("somebody else's"))

    gate = await customer.open_gate()

    assert not gate.is_open
    assert gate.view.code in ("DECISION_REJECTED", "KEYSET_REJECTED")


async def test_a_damaged_cache_does_not_open_the_gate(customer: LicensedMachine) -> None:
    await customer.open_gate()
    cache = customer.folder / "license.json"
    text = bytearray(cache.read_bytes())
    text[len(text) // 2] ^= 1
    cache.write_bytes(text)
    customer.simulator.switch = unreachable

    gate = await customer.open_gate()

    assert not gate.is_open
    assert gate.view.code == "CACHE_UNREADABLE"


async def test_a_first_start_activates(customer: LicensedMachine) -> None:
    gate = await customer.open_gate()

    assert gate.is_open
    assert [request.operation for request in customer.simulator.requests] == ["activate"]


async def test_a_start_with_a_usable_cache_asks_nobody(customer: LicensedMachine) -> None:
    await customer.open_gate()
    customer.simulator.requests.clear()
    customer.simulator.switch = unreachable

    gate = await customer.open_gate()

    assert gate.is_open
    assert customer.simulator.requests == []


async def test_a_revocation_closes_an_open_gate_at_the_next_refresh(
    customer: LicensedMachine,
) -> None:
    gate = await customer.open_gate()
    customer.simulator.change(customer.license, code="REVOKED")

    await gate.refresh()
    assert gate.view.valid  # not due yet

    customer.machine.clock.advance(7 * HOUR)
    await gate.refresh()
    assert not gate.is_open
    assert gate.view.code == "REVOKED"


async def test_the_end_of_the_license_closes_an_open_gate_by_time_alone(
    customer: LicensedMachine,
) -> None:
    ends = customer.machine.clock.wall + DAY
    customer.simulator.change(customer.license, kind="trial", expires=ends)
    gate = await customer.open_gate()
    customer.simulator.switch = unreachable

    customer.machine.clock.advance(DAY - 60)
    await gate.refresh()
    assert gate.view.valid

    customer.machine.clock.advance(60)
    await gate.refresh()
    assert not gate.is_open
    assert (gate.view.code, gate.view.status) == ("TRIAL_EXPIRED", "expired")


async def test_a_renewal_opens_a_closed_gate(customer: LicensedMachine) -> None:
    customer.simulator.change(customer.license, code="EXPIRED")
    gate = await customer.open_gate()

    customer.simulator.change(customer.license, code="VALID")
    customer.machine.clock.advance(10 * 60)
    await gate.refresh()

    assert gate.is_open


async def test_what_another_process_learned_reaches_the_gate(customer: LicensedMachine) -> None:
    gate = await customer.open_gate()
    customer.simulator.change(customer.license, code="SUSPENDED")
    customer.machine.start(product=PRODUCT).validate()

    await gate.refresh()

    assert not gate.is_open


async def test_without_the_server_the_gate_closes_at_the_end_of_grace(
    customer: LicensedMachine,
) -> None:
    gate = await customer.open_gate()
    customer.simulator.switch = unreachable

    customer.machine.clock.advance(2 * DAY)
    await gate.refresh()
    assert gate.view.status == "grace_period"
    assert gate.view.grace_ends_at is not None

    customer.machine.clock.advance(13 * DAY)
    await gate.refresh()
    assert not gate.is_open
    assert gate.view.code == "OFFLINE_GRACE_EXCEEDED"


async def test_an_unsigned_no_changes_nothing(customer: LicensedMachine) -> None:
    gate = await customer.open_gate()
    customer.simulator.switch = saying(403, b'{"valid": false, "code": "REVOKED"}')

    customer.machine.clock.advance(7 * HOUR)
    await gate.refresh()

    assert gate.is_open


async def test_a_look_at_the_old_license_does_not_close_the_new_one(
    customer: LicensedMachine,
) -> None:
    gate = await customer.open_gate()
    bought = customer.simulator.sell(2, product=PRODUCT, email="bob@example.com")
    reached, released = threading.Event(), threading.Event()

    def late(simulator: Simulator, request: Request) -> httpx.Response:
        simulator.switch = None
        reached.set()
        released.wait()
        return simulator.answer(request)

    customer.simulator.switch = late
    customer.machine.clock.advance(7 * HOUR)
    customer.simulator.change(customer.license, code="REVOKED")
    looking = asyncio.create_task(gate.refresh())
    await asyncio.to_thread(reached.wait)
    activating = asyncio.create_task(gate.activate(Owner(bought.key, bought.email)))
    released.set()
    await looking
    await activating

    assert gate.is_open


def test_mistakes_in_the_license_settings_are_named() -> None:
    with pytest.raises(SettingsError) as raised:
        gate_from_environment({"LICENSE_SERVER_URL": "http://10.1.2.3"})

    assert "LICENSE_SERVER_URL" in str(raised.value)
    assert "LICENSE_TRUST_FILE" in str(raised.value)


@pytest.mark.parametrize(
    ("path", "answers"),
    [
        ("/api/health", True),
        ("/api/health/ready", True),
        ("/api/license/status", True),
        ("/api/license/activate", True),
        ("/api/trial/start", True),
        ("/api/trials", False),
        ("/api/tables", False),
        ("/api/schemas", False),
        ("/rest/v1/airports", False),
        ("/", False),
    ],
)
async def test_a_closed_gate_answers_only_what_opens_it(
    customer: LicensedMachine, path: str, *, answers: bool
) -> None:
    reached = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        reached.append(scope["path"])

    gate = customer.new_gate()
    scope = {"type": "http", "path": path}
    if answers:
        await LicensedApp(app, gate)(scope, _receive_nothing, _send_nothing)
    else:
        with pytest.raises(LicenseClosedError):
            await LicensedApp(app, gate)(scope, _receive_nothing, _send_nothing)

    assert reached == ([path] if answers else [])


async def _receive_nothing() -> Message:
    return {"type": "http.request"}


async def _send_nothing(_message: Message) -> None: ...
