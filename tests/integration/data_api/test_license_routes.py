import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db_api.license_gate import LicenseGate
from license_client.testing.clock import DAY
from license_client.testing.simulator import unreachable
from license_client.testing.vendor import make_key
from support.database_lock import holding_lock
from support.licensed import LicensedMachine, simulator_of_today
from support.management import Api, execute, running_api

pytestmark = pytest.mark.anyio

STATUS_MEMBERS = [
    "valid",
    "status",
    "type",
    "expiresAt",
    "trialExpiresAt",
    "gracePeriodEndsAt",
    "code",
    "message",
    "lastVerifiedAt",
    "nextRefreshAt",
    "warnings",
]


@pytest.fixture
def machine(tmp_path: Path) -> LicensedMachine:
    return LicensedMachine(tmp_path / "license")


@pytest.fixture
async def service(
    database_url: str, machine: LicensedMachine
) -> AsyncIterator[tuple[Api, LicenseGate]]:
    async with running_api(database_url, machine) as opened:
        yield opened


@pytest.fixture
def api(service: tuple[Api, LicenseGate]) -> Api:
    return service[0]


async def test_the_status_has_the_members_that_users_know_and_ours(api: Api) -> None:
    body = (await api.get("/api/license/status")).json()

    assert list(body) == STATUS_MEMBERS
    assert body | {"message": "", "lastVerifiedAt": "", "nextRefreshAt": ""} == {
        "valid": True,
        "status": "active",
        "type": "paid",
        "expiresAt": None,
        "trialExpiresAt": None,
        "gracePeriodEndsAt": None,
        "code": "VALID",
        "message": "",
        "lastVerifiedAt": "",
        "nextRefreshAt": "",
        "warnings": [],
    }
    assert body["lastVerifiedAt"] == "2027-01-15T08:00:00.000Z"


async def test_the_status_shows_no_key_and_no_email(api: Api, machine: LicensedMachine) -> None:
    text = (await api.get("/api/license/status")).text

    assert machine.license.key not in text
    assert machine.license.email not in text


async def test_a_trial_says_when_it_ends(database_url: str, machine: LicensedMachine) -> None:
    ends = machine.machine.clock.wall + 7 * DAY
    machine.license = machine.simulator.change(machine.license, kind="trial", expires=ends)
    async with running_api(database_url, machine) as (api, _):
        body = (await api.get("/api/license/status")).json()

    assert (body["status"], body["type"]) == ("trial", "trial")
    assert body["trialExpiresAt"] == body["expiresAt"] == "2027-01-22T08:00:00.000Z"


async def test_a_locked_service_says_what_is_wrong_and_what_to_do(
    service: tuple[Api, LicenseGate], machine: LicensedMachine
) -> None:
    api, gate = service
    key = await api.new_key("public", "anon")
    machine.learn("REVOKED")
    await gate.refresh()

    data = await api.get("/rest/v1/anything", headers={"apikey": key["key"]})
    management = await api.get("/api/tables", headers={"apikey": key["key"]})
    status = await api.get("/api/license/status")
    ready = await api.get("/api/health/ready")

    assert data.status_code == management.status_code == 403
    assert list(data.json()) == ["code", "message", "details", "hint"]
    assert (data.json()["code"], data.json()["details"]) == ("DBAPI200", "REVOKED")
    assert management.json()["requestId"] == management.headers["x-request-id"]
    assert "/api/license/activate" in data.json()["hint"]
    assert (status.json()["valid"], status.json()["status"]) == (False, "invalid")
    assert (ready.status_code, ready.json()["checks"]["license"]) == (503, "REVOKED")
    assert (await api.get("/api/health")).status_code == 200


# validate


@pytest.mark.parametrize("body", [{}, {"email": "ada@example.com"}, {"licenseKey": ""}])
async def test_validating_without_a_key_is_a_bad_request(api: Api, body: dict[str, str]) -> None:
    assert (await api.post("/api/license/validate", json=body)).status_code == 400


@pytest.mark.parametrize(
    ("license_key", "email", "code"),
    [
        ("nonsense", "ada@example.com", "KEY_MALFORMED"),
        (make_key(9), "ada@example.com", "LICENSE_NOT_FOUND"),
        (make_key(1), "eve@example.com", "EMAIL_MISMATCH"),
        (make_key(1), "nonsense", "INVALID_FIELD"),
    ],
)
async def test_a_license_that_is_not_valid_is_an_answer(
    service: tuple[Api, LicenseGate], license_key: str, email: str, code: str
) -> None:
    api, gate = service

    answer = await api.post(
        "/api/license/validate", json={"licenseKey": license_key, "email": email}
    )

    assert answer.status_code == 200
    assert list(answer.json()) == ["valid", "message", "type", "expiresAt", "code"]
    assert (answer.json()["valid"], answer.json()["code"]) == (False, code)
    assert gate.is_open


async def test_a_valid_license_is_said_to_be_valid(api: Api, machine: LicensedMachine) -> None:
    answer = await api.post("/api/license/validate", json={"licenseKey": machine.license.key})

    assert answer.json() | {"message": ""} == {
        "valid": True,
        "message": "",
        "type": "paid",
        "expiresAt": None,
        "code": "VALID",
    }


async def test_without_the_license_server_nobody_can_tell(
    api: Api, machine: LicensedMachine
) -> None:
    machine.simulator.switch = unreachable

    answer = await api.post("/api/license/validate", json={"licenseKey": make_key(2)})

    assert (answer.status_code, answer.json()["code"]) == (503, "DBAPI201")
    assert int(answer.headers["retry-after"]) >= 1


async def test_guessing_licenses_is_slowed_down(api: Api) -> None:
    body = {"licenseKey": "nonsense"}
    for _ in range(10):
        assert (await api.post("/api/license/validate", json=body)).status_code == 200

    answer = await api.post("/api/license/validate", json=body)

    assert (answer.status_code, answer.json()["code"]) == (429, "DBAPI110")
    assert int(answer.headers["retry-after"]) >= 1


# activate


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-For": "127.0.0.1"}])
async def test_a_connection_from_the_machine_itself_opens_nothing(
    database_url: str, machine: LicensedMachine, peer: str, headers: dict[str, str]
) -> None:
    """What forwards a port, as socat, stunnel or a container's engine do, connects from there."""
    async with running_api(database_url, machine, (peer, 40000)) as (api, _):
        activated = await api.post("/api/license/activate", json={}, headers=headers)
        started = await api.post("/api/trial/start", json={}, headers=headers)

    assert (activated.status_code, started.status_code) == (401, 401)


async def test_activation_opens_a_locked_service(
    service: tuple[Api, LicenseGate], machine: LicensedMachine
) -> None:
    api, gate = service
    machine.learn("REVOKED")
    await gate.refresh()
    bought = machine.simulator.sell(2, product="db-api", email="bob@example.com")

    answer = await api.post(
        "/api/license/activate",
        json={"licenseKey": bought.key, "email": bought.email},
        auth=api.admin,
    )

    assert answer.status_code == 200
    assert list(answer.json()["data"]) == STATUS_MEMBERS
    assert "LICENSE_KEY and LICENSE_EMAIL" in answer.json()["message"]
    assert (await api.get("/api/schemas", auth=api.admin)).status_code == 200


async def test_a_license_that_is_refused_leaves_the_gate_as_it_was(
    service: tuple[Api, LicenseGate],
) -> None:
    api, gate = service

    answer = await api.post(
        "/api/license/activate",
        json={"licenseKey": make_key(9), "email": "bob@example.com"},
        auth=api.admin,
    )

    assert (answer.status_code, answer.json()["details"]) == (422, "LICENSE_NOT_FOUND")
    assert gate.is_open


@pytest.mark.parametrize("body", [{}, {"licenseKey": "x"}, {"email": "ada@example.com"}])
async def test_activation_needs_key_and_email(api: Api, body: dict[str, str]) -> None:
    answer = await api.post("/api/license/activate", json=body, auth=api.admin)

    assert answer.status_code == 400


# locked from the start


async def test_a_service_without_a_license_may_start_locked_and_be_opened(
    database_url: str, machine: LicensedMachine
) -> None:
    machine.license = machine.simulator.change(machine.license, code="EXPIRED")
    bought = machine.simulator.sell(2, product="db-api", email="bob@example.com")
    async with running_api(database_url, machine, LICENSE_GATE="lock") as (api, _):
        refused = await api.get("/api/schemas", auth=api.admin)
        health = await api.get("/api/health")
        ready = await api.get("/api/health/ready")
        await api.post(
            "/api/license/activate",
            json={"licenseKey": bought.key, "email": bought.email},
            auth=api.admin,
        )
        opened = await api.get("/api/schemas", auth=api.admin)
        ready_now = await api.get("/api/health/ready")

    assert (refused.status_code, refused.json()["code"]) == (403, "DBAPI200")
    assert "db-api activate" in refused.json()["hint"]
    assert (health.status_code, ready.status_code) == (200, 503)
    assert (opened.status_code, ready_now.status_code) == (200, 200)


async def test_a_request_under_way_is_answered_though_the_license_ends(
    database_url: str, machine: LicensedMachine
) -> None:
    await execute(
        database_url,
        "CREATE TABLE public.gone (id int); CREATE VIEW public.slow AS"
        " SELECT pg_advisory_lock(7)::text AS waited",
    )
    async with (
        running_api(database_url, machine) as (api, gate),
        holding_lock(database_url) as lock,
    ):
        key = await api.new_key("public", "service_role")
        headers = {"apikey": key["key"]}
        under_way = asyncio.create_task(api.get("/rest/v1/slow", headers=headers))
        await lock.until_waited_for()
        machine.learn("REVOKED")
        await gate.refresh()
        refused = await api.get("/rest/v1/gone", headers=headers)
        await lock.release()
        answer = await under_way

    assert (refused.status_code, refused.json()["details"]) == (403, "REVOKED")
    assert answer.status_code == 200


# trials


async def test_an_address_that_is_none_starts_no_trial(api: Api) -> None:
    answer = await api.post("/api/trial/start", json={"email": "bob"}, auth=api.admin)

    assert (answer.status_code, answer.json()["code"]) == (422, "DBAPI202")


async def test_a_trial_that_nobody_took_is_for_later(api: Api, machine: LicensedMachine) -> None:
    machine.simulator.switch = unreachable

    answer = await api.post("/api/trial/start", json={"email": "bob@example.com"}, auth=api.admin)

    assert (answer.status_code, answer.json()["code"]) == (503, "DBAPI201")


async def test_a_trial_is_requested_and_its_key_comes_by_mail(
    service: tuple[Api, LicenseGate], machine: LicensedMachine
) -> None:
    api, gate = service
    machine.learn("REVOKED")
    await gate.refresh()
    before = await api.get("/api/trial/status", auth=api.admin)

    started = await api.post("/api/trial/start", json={"email": "bob@example.com"}, auth=api.admin)

    assert before.json() == {
        "status": "none", "requestedAt": None, "trialExpiresAt": None, "daysLeft": None
    }  # fmt: skip
    assert started.status_code == 200
    assert "mail" in started.json()["message"]
    assert started.json()["data"]["status"] == "requested"
    assert [asked["email"] for asked in machine.simulator.trials] == ["bob@example.com"]
    assert (await api.get("/api/trial/status", auth=api.admin)).json()["requestedAt"] is not None


async def test_a_trial_under_way_says_how_long_it_lasts(database_url: str, tmp_path: Path) -> None:
    machine = LicensedMachine(tmp_path / "today", simulator_of_today())
    ends = machine.machine.clock.wall + 7 * DAY
    machine.license = machine.simulator.change(machine.license, kind="trial", expires=ends)
    async with running_api(database_url, machine) as (api, _):
        body = (await api.get("/api/trial/status", auth=api.admin)).json()

    assert (body["status"], body["daysLeft"]) == ("active", 7)
    assert body["trialExpiresAt"].endswith("Z")
