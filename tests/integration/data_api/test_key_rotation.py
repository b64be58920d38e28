"""Keys that take the place of others, and when keys were last used."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from db_api.control.database import open_control
from db_api.control.keys import KeyStore
from db_api.key_uses import KeyUses
from support.licensed import LicensedMachine
from support.management import Api, running_api

pytestmark = pytest.mark.anyio

KEYS = "/api/project/public/keys"


@pytest.fixture
async def api(database_url: str, machine: LicensedMachine) -> AsyncIterator[Api]:
    async with running_api(database_url, machine) as (api, _):
        yield api


async def rotate(api: Api, key_id: str, **body: object) -> dict[str, str]:
    answer = await api.post(f"{KEYS}/{key_id}/rotate", json=body, auth=api.admin)
    assert answer.status_code == 201, answer.text
    made: dict[str, str] = answer.json()
    return made


async def status_of(api: Api, key: str) -> int:
    return (await api.get("/api/tables", headers={"apikey": key})).status_code


@pytest.mark.parametrize("overlap", [-1, 1.5, "60", 30 * 24 * 3600 + 1, None])
async def test_an_overlap_that_is_none_is_refused(api: Api, overlap: object) -> None:
    key = await api.new_key("public", "anon")
    answer = await api.post(
        f"{KEYS}/{key['id']}/rotate", json={"overlapSeconds": overlap}, auth=api.admin
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "DBAPI300")
    assert await status_of(api, key["key"]) == 200


async def test_a_key_that_is_not_there_or_dead_is_not_rotated(api: Api) -> None:
    for key_id in (str(uuid4()), "x"):
        answer = await api.post(f"{KEYS}/{key_id}/rotate", json={}, auth=api.admin)
        assert answer.status_code == 404
    key = await api.new_key("public", "anon")
    await api.delete(f"{KEYS}/{key['id']}", auth=api.admin)
    answer = await api.post(f"{KEYS}/{key['id']}/rotate", json={}, auth=api.admin)
    assert (answer.status_code, answer.json()["code"]) == (409, "DBAPI305")


async def test_without_an_overlap_the_old_key_is_revoked(api: Api) -> None:
    old = await api.new_key("public", "anon")
    new = await rotate(api, old["id"])
    assert new["keyName"] == old["keyName"]
    assert new["key"] != old["key"]
    assert await status_of(api, new["key"]) == 200
    assert await status_of(api, old["key"]) == 401
    again = await api.post(f"{KEYS}/{old['id']}/rotate", json={}, auth=api.admin)
    assert again.status_code == 409


async def test_with_an_overlap_both_keys_live(api: Api, database_url: str) -> None:
    old = await api.new_key("public", "service_role")
    new = await rotate(api, old["id"], overlapSeconds=3600)
    assert [await status_of(api, key["key"]) for key in (old, new)] == [200, 200]
    listed = {key["id"]: key for key in (await api.get(KEYS, auth=api.admin)).json()["data"]}
    assert listed[old["id"]]["replacedBy"] == new["id"]
    assert listed[new["id"]]["replacedBy"] is None
    ends = datetime.fromisoformat(listed[old["id"]]["expiresAt"])
    assert timedelta(minutes=59) < ends - datetime.now(UTC) <= timedelta(hours=1)
    connection = await asyncpg.connect(database_url)
    query = "SELECT subject FROM db_api.audit WHERE action = 'key.rotated'"
    assert await connection.fetchval(query) == f"key:{new['id']}"
    await connection.close()


async def test_an_overlap_lengthens_no_life(api: Api) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=5)
    body = {"keyName": "short", "keyType": "anon", "expiresAt": soon.isoformat()}
    old = (await api.post(KEYS, json=body, auth=api.admin)).json()
    new = await rotate(api, old["id"], overlapSeconds=3600)
    listed = {key["id"]: key for key in (await api.get(KEYS, auth=api.admin)).json()["data"]}
    assert listed[old["id"]]["expiresAt"] == listed[new["id"]]["expiresAt"]


async def test_a_use_is_remembered_to_the_minute(
    database_url: str, machine: LicensedMachine
) -> None:
    async with running_api(database_url, machine) as (api, _):
        used = await api.new_key("public", "anon", "used")
        await api.new_key("public", "anon", "unused")
        assert await status_of(api, used["key"]) == 200
    async with running_api(database_url, machine) as (api, _):  # the end has written it
        listed = (await api.get(KEYS, auth=api.admin)).json()["data"]
    times = {key["keyName"]: key["lastUsedAt"] for key in listed}
    assert times["unused"] is None
    assert times["used"].endswith(":00.000Z")
    age = datetime.now(UTC) - datetime.fromisoformat(times["used"])
    assert age < timedelta(minutes=3)


async def test_uses_are_written_again_and_again(api: Api, database_url: str) -> None:
    key = await api.new_key("public", "anon")
    control = open_control(database_url)
    store = KeyStore(control)
    hour = iter(range(24))
    uses = KeyUses(store.mark_used, lambda: datetime(2026, 1, 1, next(hour), tzinfo=UTC), 0.05)
    seen: set[datetime | None] = set()
    async with uses.running():
        while len(seen) < 2:
            (found,) = await store.list("public")
            assert found.id == UUID(key["id"])
            uses.note(found.digest)
            seen |= {found.last_used_at} - {None}
    await control.dispose()
