"""What the admin API tells of a business and of its server, over real databases."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from license_server.admin.operators import Operators
from license_server.tokens import Role
from support.admin_api import AdminClient
from support.licensed_vendor import Vendor
from support.licensing import DAY, NOW
from support.log_attacks import spoil_signature, unguarded

pytestmark = pytest.mark.anyio


@pytest.fixture
async def api(vendor: Vendor) -> AsyncIterator[AdminClient]:
    async with AdminClient.opened(vendor) as client:
        yield client


async def spoil(api: AdminClient, statement: str) -> None:
    async with unguarded(api.vendor.database) as connection:
        await connection.execute(text(statement))


async def ids_in(api: AdminClient, order: str) -> list[str]:
    """Return the ids of all licenses in an order, page after page."""
    ids: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await api.get("licenses", order=order, limit=2, **cursor)
        ids += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            return ids
        cursor = {"cursor": page["next_cursor"]}


async def test_each_order_shows_every_license_once(api: AdminClient) -> None:
    made: list[str] = []
    for days in (30, None, 10, 10, 20):
        ends = {} if days is None else {"lasts_seconds": days * 86_400}
        made.append((await api.issue(email=f"n{len(made)}@example.com", **ends))["id"])
        api.clock.now += timedelta(minutes=1)
    month, never, ten, later_ten, twenty = made
    by_end = [ten, later_ten, twenty, month, never]
    assert await ids_in(api, "oldest") == made
    assert await ids_in(api, "newest") == made[::-1]
    assert await ids_in(api, "ends_first") == by_end
    assert await ids_in(api, "ends_last") == by_end[::-1]
    assert await api.refused("GET", "licenses?order=random") == (400, "INVALID_FIELD")


async def test_licenses_are_counted_as_they_are_filtered(api: AdminClient) -> None:
    for number in range(3):
        await api.issue(email=f"n{number}@example.com")
    await api.issue(email="eve@other.example", kind="trial")
    for query, count in (
        ({}, 4),
        ({"domain": "example.com"}, 3),
        ({"email": "n1@example.com"}, 1),
        ({"kind": "trial"}, 1),
        ({"status": "revoked"}, 0),
    ):
        assert await api.get("licenses/count", **query) == {"count": count, "is_more": False}


async def test_a_license_has_its_history_and_the_names_of_who_made_it(api: AdminClient) -> None:
    license_id = (await api.issue())["id"]
    await api.issue(email="eve@example.com")
    async with api.vendor.desk(NOW) as desk:
        ada = (await Operators(desk).create("ada", Role.OWNER)).operator.operator_id
    async with api.vendor.desk(NOW, actor=ada) as desk:
        await desk.record("license.suspend", license_id, {"standing": "active"}, None)
    history = await api.get(f"licenses/{license_id}/history")
    told = [(one["action"], one["actor_name"]) for one in history["items"]]
    assert told == [("license.suspend", "ada"), ("license.issue", "owner")]
    assert history["next_before"] is None
    first = await api.get(f"licenses/{license_id}/history", limit=1)
    rest = await api.get(f"licenses/{license_id}/history", limit=1, before=first["next_before"])
    assert [one["action"] for one in rest["items"]] == ["license.issue"]
    assert await api.refused("GET", "licenses/lic_x/history") == (404, "NOT_FOUND")


async def test_the_log_is_filtered(api: AdminClient) -> None:
    license_id = (await api.issue())["id"]
    api.clock.now += DAY
    await api.post(f"licenses/{license_id}/suspend")
    await api.issue(email="eve@example.com")
    everything = (await api.get("audit"))["items"]

    async def actions(**query: object) -> list[str]:
        return [one["action"] for one in (await api.get("audit", **query))["items"]]

    assert await actions(action="license.") == ["license.issue", "license.suspend", "license.issue"]
    assert await actions(action="license.suspend") == ["license.suspend"]
    assert await actions(subject=license_id) == ["license.issue", "license.suspend"]
    assert await actions(actor="cli", action="product.create") == ["product.create"]
    tomorrow = api.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert await actions(since=tomorrow) == ["license.suspend", "license.issue"]
    assert await actions(until=tomorrow, action="license.") == ["license.issue"]
    assert await actions(before=everything[-1]["seq"], limit=1) == ["license.suspend"]
    assert await actions(after=everything[-2]["seq"]) == ["license.issue"]
    assert await api.refused("GET", "audit?action=%25") == (400, "INVALID_FIELD")


async def test_the_log_is_verified_and_a_checkpoint_shows_what_was_cut_off(
    api: AdminClient,
) -> None:
    await api.issue()
    sound = await api.post("audit/verify")
    assert (sound["is_sound"], sound["fault"], sound["checkpoints"]) == (True, None, 0)
    made = await api.post("audit/checkpoint")
    assert made["seq"] == sound["entries"]
    assert made["hash"] == sound["head"]
    assert (await api.post("audit/verify"))["checkpoints"] == 1
    await spoil(api, f"DELETE FROM audit_log WHERE seq = {made['seq']}")
    cut = await api.post("audit/verify")
    assert not cut["is_sound"]
    assert f"entry {made['seq']} is missing" in cut["fault"]


async def test_a_checkpoint_that_nobody_can_believe_is_told_of(api: AdminClient) -> None:
    await api.issue()
    made = await api.post("audit/checkpoint")
    assert (await api.post("audit/verify"))["left_out"] == []
    spoil_signature(Path(made["file"]))
    await spoil(api, f"DELETE FROM audit_log WHERE seq = {made['seq']}")
    cut = await api.post("audit/verify")
    assert cut["checkpoints"] == 0
    assert [one["line"] for one in cut["left_out"]] == [1]


async def test_a_changed_entry_is_named(api: AdminClient) -> None:
    await api.issue()
    await spoil(api, "UPDATE audit_log SET actor = 'eve' WHERE seq = 2")
    broken = await api.post("audit/verify")
    assert (broken["is_sound"], broken["fault"]) == (False, "entry 2 was changed")


async def test_a_mail_is_shown_but_for_what_opens_something(api: AdminClient) -> None:
    made = await api.issue(mail_key=True)
    [mail] = (await api.get("mails"))["items"]
    shown = await api.get(f"mails/{mail['id']}/preview")
    assert shown["to"] == "ada@example.com"
    assert shown["mail_subject"] == "Your license key for db-api"
    assert f"…{made['key'][-4:]}" in shown["text"]
    assert made["key"] not in str(shown)
    async with api.vendor.desk(NOW) as desk:
        await desk.transaction.outbox.erase_subject(made["id"])
    erased = await api.get(f"mails/{mail['id']}/preview")
    assert (erased["is_erased"], erased["to"], erased["text"]) == (True, None, None)
    assert await api.refused("GET", "mails/out_x/preview") == (404, "NOT_FOUND")


async def test_the_server_tells_of_itself(api: AdminClient) -> None:
    keys = await api.get("keyset")
    assert (keys["epoch"], [one["signs_here"] for one in keys["keys"]]) == (1, [True])
    assert [one["level"] for one in (await api.get("doctor"))["items"]] == ["PASS", "WARN"]
    [setting] = (await api.get("settings"))["items"]
    assert (setting["name"], setting["value"]) == ("SMTP_PASSWORD", "(set)")
    assert (await api.get("stats/decisions"))["items"] == [{"code": "OK", "number": 3}]
