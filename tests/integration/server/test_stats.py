"""Figures of the vendor's business, on either database."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from license_server.cli import main
from license_server.evaluation import Operation
from license_server.license_keys import LicenseKey
from license_server.tokens import Role
from support.admin_api import AdminClient
from support.licensed_vendor import Vendor
from support.licensing import DAY, NOW


@pytest.fixture
async def api(vendor: Vendor) -> AsyncIterator[AdminClient]:
    async with AdminClient.opened(vendor) as client:
        yield client


async def activate(api: AdminClient, key: LicenseKey, **changes: str) -> None:
    answer = await api.vendor.ask(key, Operation.ACTIVATE, now=api.clock.now, **changes)
    assert answer.valid


@pytest.mark.anyio
async def test_licenses_are_counted_as_they_stand_now(api: AdminClient) -> None:
    for days in (20, 40):
        await api.issue(lasts_seconds=days * 86_400)
    await api.issue()
    await api.issue(kind="trial")
    for verb in ("suspend", "revoke"):
        made = await api.issue(lasts_seconds=20 * 86_400)
        await api.post(f"licenses/{made['id']}/{verb}")
    [told] = (await api.get("stats"))["products"]
    none = dict.fromkeys(("active", "trial", "suspended", "revoked", "expired"), 0)
    assert told["licenses"] == {
        "paid": none | {"active": 3, "suspended": 1, "revoked": 1},
        "trial": none | {"trial": 1},
    }
    assert told["expiring_in_30_days"] == 1  # neither the suspended nor the revoked one
    api.clock.now += 27 * DAY
    [later] = (await api.get("stats"))["products"]
    assert later["licenses"]["paid"] == none | {
        "active": 2, "expired": 1, "suspended": 1, "revoked": 1,
    }  # fmt: skip
    assert later["expiring_in_30_days"] == 1


@pytest.mark.anyio
async def test_deployments_are_counted_by_when_they_were_seen(api: AdminClient) -> None:
    key = LicenseKey.parse((await api.issue())["key"])
    seen = {"a": (0, "1.0.0"), "b": (23, "1.9.0"), "c": (29, "2.0.0"), "d": (31, "2.0.0")}
    for instance, (after, version) in seen.items():
        api.clock.now = NOW + after * DAY
        await activate(api, key, instance_id=instance, client_version=version)
    api.tokens[Role.OWNER] = await api.new_token(Role.OWNER)  # the first ones have ended
    [told] = (await api.get("stats"))["products"]
    assert told["deployments"] == {
        "live": 4, "seen_in_1_day": 1, "seen_in_7_days": 2, "seen_in_30_days": 3,
    }  # fmt: skip
    by_day = {day["day"]: day["activations"] for day in told["activations"]}
    assert len(by_day) == 30
    assert list(by_day) == sorted(by_day)
    new = {day: number for day, number in by_day.items() if number}
    assert new == {"2026-12-16": 1, "2026-12-22": 1, "2026-12-24": 1}
    versions = [(one["version"], one["deployments"]) for one in told["clients"]]
    assert versions == [("2.0.0", 2), ("1.0.0", 1), ("1.9.0", 1)]


@pytest.mark.anyio
async def test_archived_deployments_are_new_but_not_live(api: AdminClient) -> None:
    key = LicenseKey.parse((await api.issue())["key"])
    await activate(api, key)
    async with api.vendor.desk() as desk:
        await desk.transaction.deployments.archive_unseen(NOW + DAY, NOW)
    [told] = (await api.get("stats"))["products"]
    assert told["deployments"]["live"] == 0
    assert told["clients"] == []
    assert told["activations"][-1] == {"day": "2026-11-23", "activations": 1}


@pytest.mark.anyio
async def test_products_are_told_apart(api: AdminClient) -> None:
    await api.post("products", code="empty", name="Empty")
    await api.issue()
    told = (await api.get("stats"))["products"]
    assert [(one["product"], one["licenses"]["paid"]["active"]) for one in told] == [
        ("db-api", 1), ("empty", 0),
    ]  # fmt: skip
    assert (await api.get("stats", product="empty"))["products"] == told[1:]
    assert await api.refused("GET", "stats?product=none") == (404, "NOT_FOUND")


def test_the_command_shows_them_to_people_and_scripts(tmp_path: Path) -> None:
    folder = tmp_path / "server"

    def run(*line: str) -> Any:
        done = CliRunner().invoke(main, ["--dir", str(folder), *line])
        assert done.exit_code == 0, done.output
        return done.stdout

    CliRunner().invoke(main, ["init", str(folder), "--product", "db-api"])
    run("license", "issue", "--product", "db-api", "--email", "ada@example.com", "--for", "9d")
    [told] = json.loads(run("stats", "--json"))["products"]
    assert told["licenses"]["paid"]["active"] == 1
    shown = [line.split() for line in run("stats", "--product", "db-api").splitlines()]
    assert ["expiring", "in", "30", "days", "1"] in shown
    assert ["paid", "1", "0", "0", "0", "0"] in shown
