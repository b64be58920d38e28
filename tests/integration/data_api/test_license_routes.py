from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db_api.license_gate import LicenseGate
from license_client.testing.clock import DAY
from license_client.testing.simulator import unreachable
from license_client.testing.vendor import make_key
from support.licensed import LicensedMachine
from support.management import Api, running_api

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


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"Origin": "http://attacker.example"},
    ],
)
async def test_what_comes_through_somebody_else_is_not_local(
    database_url: str, machine: LicensedMachine, headers: dict[str, str]
) -> None:
    async with running_api(database_url, machine, ("127.0.0.1", 40000)) as (api, _):
        answer = await api.post("/api/license/activate", json={}, headers=headers)

    assert answer.status_code == 401


async def test_a_forged_address_does_not_make_a_visitor_local(api: Api) -> None:
    answer = await api.post(
        "/api/license/activate", json={}, headers={"X-Forwarded-For": "127.0.0.1"}
    )

    assert answer.status_code == 401


async def test_a_visitor_behind_a_trusted_proxy_is_not_local(
    database_url: str, machine: LicensedMachine
) -> None:
    proxy = ("127.0.0.1", 40000)
    async with running_api(database_url, machine, proxy, TRUSTED_PROXIES="127.0.0.1") as (api, _):
        answer = await api.post(
            "/api/license/activate", json={}, headers={"X-Forwarded-For": "203.0.113.9"}
        )

    assert answer.status_code == 401


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1"])
async def test_whoever_is_on_the_machine_may_activate(
    database_url: str, machine: LicensedMachine, peer: str
) -> None:
    bought = machine.simulator.sell(2, product="db-api", email="bob@example.com")
    async with running_api(database_url, machine, (peer, 40000)) as (api, gate):
        answer = await api.post(
            "/api/license/activate", json={"licenseKey": bought.key, "email": bought.email}
        )

        assert answer.status_code == 200
        assert list(answer.json()["data"]) == STATUS_MEMBERS
        assert "LICENSE_KEY and LICENSE_EMAIL" in answer.json()["message"]
        assert gate.is_open


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
