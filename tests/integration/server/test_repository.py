"""What the license server promises of licenses and deployments, on SQLite and on PostgreSQL."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from license_server.admin.server import accept_clock
from license_server.codes import Code
from license_server.errors import NotReady, RateLimited, SigningUnavailable
from license_server.evaluation import Operation
from license_server.license_keys import LicenseKey
from license_server.licenses import Change, Kind
from license_server.repository.database import Database
from license_server.sealing import Pepper, Peppers
from support.licensed_vendor import Vendor, licenses_of
from support.licensing import DAY, EMAIL, HOUR, NOW, OTHER_EMAIL, PEPPERS, claims_in, unix

pytestmark = pytest.mark.anyio

DEPLOYMENTS = "SELECT instance_id, first_seen_at, last_seen_at, client_version FROM deployments"


async def test_an_unknown_key_finds_nothing(vendor: Vendor) -> None:
    assert (await vendor.ask(LicenseKey.generate())).code is Code.LICENSE_NOT_FOUND


async def test_each_way_to_name_a_license_wrongly_is_told_apart(vendor: Vendor) -> None:
    _, key = await vendor.issue()
    assert (await vendor.ask(key, email=OTHER_EMAIL)).code is Code.EMAIL_MISMATCH
    assert (await vendor.ask(key, product="other")).code is Code.PRODUCT_MISMATCH


async def test_a_change_of_the_vendor_holds_from_the_next_request(vendor: Vendor) -> None:
    license_id, key = await vendor.issue()
    codes = []
    for change in (Change.SUSPEND, Change.REINSTATE, Change.REVOKE):
        await vendor.change_standing(license_id, change)
        codes.append((await vendor.ask(key)).code)
    assert codes == [Code.SUSPENDED, Code.VALID, Code.REVOKED]


async def test_an_end_comes_with_time_and_goes_by_renewal(vendor: Vendor) -> None:
    license_id, key = await vendor.issue(lasts=30 * DAY)
    late = NOW + 37 * DAY
    assert (await vendor.ask(key, now=late - timedelta(seconds=1))).warnings == ("RENEWAL_GRACE",)
    assert (await vendor.ask(key, now=late)).code is Code.EXPIRED
    await vendor.renew(license_id, 30 * DAY, late)
    renewed = await vendor.ask(key, now=late)
    assert renewed.valid
    assert claims_in(renewed.decision)["lex"] == unix(late + 30 * DAY)


async def test_a_license_that_begins_later_is_not_valid_yet(vendor: Vendor) -> None:
    _, key = await vendor.issue(starts_at=NOW + DAY)
    assert (await vendor.ask(key)).code is Code.NOT_YET_VALID
    assert (await vendor.ask(key, now=NOW + DAY)).valid


async def test_a_decision_tells_what_the_product_grants(vendor: Vendor) -> None:
    await vendor.sell("editor", entitlements=("reports", "sso"), limits={"seats": 25})
    license_id, key = await vendor.issue("editor")
    claims = claims_in((await vendor.ask(key, product="editor")).decision)
    assert (claims["sub"], claims["ent"], claims["lim"]) == (
        license_id,
        ["reports", "sso"],
        {"seats": 25},
    )


async def test_an_activation_is_remembered_and_a_known_deployment_marked_as_seen(
    vendor: Vendor,
) -> None:
    _, key = await vendor.issue()
    await vendor.ask(key, Operation.ACTIVATE)
    await vendor.ask(key, now=NOW + HOUR, client_version="1.0.1")
    await vendor.ask(key, now=NOW + HOUR, instance_id="unknown")
    rows = await vendor.rows(DEPLOYMENTS)
    assert [tuple(row) for row in rows] == [("instance-1", unix(NOW), unix(NOW + HOUR), "1.0.1")]


@pytest.mark.parametrize(
    "changes", [{"email": OTHER_EMAIL}, {"product": "other"}, {"key": LicenseKey.generate()}]
)
async def test_nothing_is_written_for_who_names_the_license_wrongly(
    vendor: Vendor, changes: dict[str, object]
) -> None:
    _, key = await vendor.issue()
    await vendor.ask(key, Operation.ACTIVATE)
    wrong: dict[str, Any] = {"key": key, **changes}
    for operation in Operation:
        await vendor.ask(now=NOW + HOUR, operation=operation, client_version="9.9", **wrong)
    rows = await vendor.rows(DEPLOYMENTS)
    assert [tuple(row) for row in rows] == [("instance-1", unix(NOW), unix(NOW), "1.0.0")]


async def test_nothing_is_written_for_a_revoked_license(vendor: Vendor) -> None:
    license_id, key = await vendor.issue()
    await vendor.ask(key, Operation.ACTIVATE)
    await vendor.change_standing(license_id, Change.REVOKE)
    await vendor.ask(key, now=NOW + HOUR)
    await vendor.ask(key, Operation.ACTIVATE, now=NOW + HOUR, instance_id="new")
    rows = await vendor.rows(DEPLOYMENTS)
    assert [tuple(row)[:3] for row in rows] == [("instance-1", unix(NOW), unix(NOW))]


async def test_two_licenses_of_one_owner_keep_their_deployments_apart(vendor: Vendor) -> None:
    await vendor.sell("small", deployment_limit=1)
    (_, one), (_, two) = await vendor.issue("small"), await vendor.issue("small")
    for key in (one, two):
        assert (await vendor.ask(key, Operation.ACTIVATE, product="small")).valid
    owners = await vendor.rows("SELECT count(*) FROM owners")
    assert owners[0][0] == 1


async def test_the_last_seat_goes_to_exactly_one_of_many_at_once(vendor: Vendor) -> None:
    await vendor.sell("small", deployment_limit=3)
    _, key = await vendor.issue("small")
    answers = await asyncio.gather(
        *(
            vendor.ask(key, Operation.ACTIVATE, product="small", instance_id=f"i{number}")
            for number in range(8)
        )
    )
    codes = sorted(answer.code for answer in answers)
    assert codes == [Code.DEPLOYMENT_LIMIT] * 5 + [Code.VALID] * 3
    assert len(await vendor.rows(DEPLOYMENTS)) == 3


async def test_two_servers_never_share_the_last_seat(database: Database) -> None:
    async with Vendor.opened(database) as one, Vendor.opened(database) as other:
        await one.sell("small", deployment_limit=1)
        _, key = await one.issue("small")
        answers = await asyncio.gather(
            one.ask(key, product="small", instance_id="a"),
            other.ask(key, product="small", instance_id="b"),
        )
        assert sorted(answer.code for answer in answers) == [Code.DEPLOYMENT_LIMIT, Code.VALID]


async def test_one_deployment_that_activates_many_times_at_once_takes_one_seat(
    vendor: Vendor,
) -> None:
    await vendor.sell("small", deployment_limit=1)
    _, key = await vendor.issue("small")
    answers = await asyncio.gather(
        *(vendor.ask(key, Operation.ACTIVATE, product="small") for _ in range(5))
    )
    assert all(answer.valid for answer in answers)
    assert len(await vendor.rows(DEPLOYMENTS)) == 1


async def test_a_deactivated_deployment_frees_its_seat(vendor: Vendor) -> None:
    await vendor.sell("small", deployment_limit=1)
    _, key = await vendor.issue("small")
    await vendor.ask(key, product="small", instance_id="old")
    gone = await vendor.ask(key, Operation.DEACTIVATE, product="small", instance_id="old")
    assert gone.code is Code.DEACTIVATED
    assert (await vendor.ask(key, product="small", instance_id="new")).valid
    again = await vendor.ask(key, Operation.DEACTIVATE, product="small", instance_id="old")
    assert again.code is Code.DEACTIVATED


async def test_a_blocked_deployment_is_refused_and_cannot_free_itself(vendor: Vendor) -> None:
    _, key = await vendor.issue()
    await vendor.ask(key, Operation.ACTIVATE)
    await vendor.change("UPDATE deployments SET blocked_at = 1")
    assert (await vendor.ask(key)).code is Code.DEPLOYMENT_BLOCKED
    await vendor.ask(key, Operation.DEACTIVATE)
    assert (await vendor.ask(key, Operation.ACTIVATE)).code is Code.DEPLOYMENT_BLOCKED


async def test_an_unlimited_license_remembers_60_new_deployments_an_hour(vendor: Vendor) -> None:
    license_id, key = await vendor.issue()
    await crowd(vendor, license_id, 60, first_seen_at=unix(NOW))
    assert (await vendor.ask(key, Operation.ACTIVATE)).valid
    assert len(await vendor.rows(DEPLOYMENTS)) == 60
    assert (await vendor.ask(key, Operation.ACTIVATE, now=NOW + HOUR)).valid
    assert len(await vendor.rows(DEPLOYMENTS)) == 61


async def test_an_unlimited_license_remembers_10_000_deployments_and_is_still_valid(
    vendor: Vendor,
) -> None:
    license_id, key = await vendor.issue()
    await crowd(vendor, license_id, 10_000, first_seen_at=1)
    assert (await vendor.ask(key, Operation.ACTIVATE)).valid
    assert len(await vendor.rows(DEPLOYMENTS)) == 10_000
    assert (await vendor.ask(key, Operation.ACTIVATE, instance_id="crowd-7")).valid


async def test_a_limited_license_gets_new_deployments_no_faster(vendor: Vendor) -> None:
    await vendor.sell("large", deployment_limit=100)
    license_id, key = await vendor.issue("large")
    await crowd(vendor, license_id, 60, first_seen_at=unix(NOW))
    with pytest.raises(RateLimited) as refusal:
        await vendor.ask(key, product="large", now=NOW + timedelta(minutes=10))
    assert refusal.value.retry_after_seconds == 3000
    later = NOW + timedelta(minutes=10)
    assert (await vendor.ask(key, product="large", instance_id="crowd-7", now=later)).valid


async def test_a_trial_starts_once_at_the_first_of_many_successes_at_once(vendor: Vendor) -> None:
    license_id, key = await vendor.issue(kind=Kind.TRIAL)
    answers = await asyncio.gather(
        *(vendor.ask(key, now=NOW + timedelta(seconds=wait)) for wait in range(5))
    )
    ends = {claims_in(answer.decision)["lex"] for answer in answers}
    assert len(ends) == 1
    shown = await vendor.show(license_id)
    assert shown.license.expires_at is not None
    assert {unix(shown.license.expires_at)} == ends
    starts = await vendor.rows("SELECT actor FROM audit_log WHERE action = 'license.start_trial'")
    assert [row[0] for row in starts] == ["client"]
    late = await vendor.ask(key, now=NOW + 15 * DAY)
    assert late.code is Code.TRIAL_EXPIRED


async def test_others_are_answered_while_a_trial_starts(vendor: Vendor) -> None:
    _, key = await vendor.issue()
    await vendor.ask(key, Operation.ACTIVATE)
    _, trial_key = await vendor.issue(kind=Kind.TRIAL)
    starting = asyncio.create_task(vendor.ask(trial_key))
    while not starting.done():
        assert (await vendor.ask(key)).valid
        await asyncio.sleep(0)
    assert (await starting).valid


async def test_a_key_with_a_newer_one_works_until_its_overlap_ends(vendor: Vendor) -> None:
    _, key = await vendor.issue()
    await vendor.change("UPDATE license_keys SET superseded_until = :end", end=unix(NOW + DAY))
    assert (await vendor.ask(key)).warnings == ("KEY_SUPERSEDED",)
    assert (await vendor.ask(key, now=NOW + DAY)).code is Code.KEY_ROTATED


async def test_licenses_of_the_pepper_before_are_found_during_its_rotation(
    vendor: Vendor, database: Database
) -> None:
    license_id, key = await vendor.issue()
    rotated = Peppers((Pepper("p2", b"2" * 32), *PEPPERS.live))
    async with Vendor.opened(database, rotated) as after:
        assert (await after.ask(key)).valid
        assert (await after.ask(key, email=OTHER_EMAIL)).code is Code.EMAIL_MISMATCH
        _, newer = await after.issue()
        assert (await after.ask(newer)).valid
        owned = await after.list_ids(email_indexes=rotated.email_indexes(EMAIL))
    assert license_id in owned
    assert len(owned) == 2


async def test_the_newest_time_is_shared_and_never_falls(
    vendor: Vendor, database: Database
) -> None:
    _, key = await vendor.issue()
    await vendor.ask(key, now=NOW + HOUR)
    async with Vendor.opened(database) as other:
        with pytest.raises(SigningUnavailable, match="clock"):
            await other.ask(key, now=NOW)
        assert (await other.ask(key, now=NOW + HOUR)).valid


async def test_a_clock_that_ran_ahead_once_is_forgotten_when_the_vendor_says_so(
    vendor: Vendor,
) -> None:
    _, key = await vendor.issue()
    await vendor.ask(key, now=NOW + 365 * DAY - HOUR)
    with pytest.raises(SigningUnavailable, match="clock accept"):
        await vendor.ask(key, now=NOW)
    async with vendor.desk() as desk:
        assert await accept_clock(desk) == NOW + 365 * DAY - HOUR
    assert (await vendor.ask(key, now=NOW)).valid


async def test_a_repository_that_is_not_open_is_not_ready(database: Database) -> None:
    repository = licenses_of(database)
    with pytest.raises(NotReady):
        await repository.require_ready()
    await repository.open()
    await repository.require_ready()
    await repository.close()
    with pytest.raises(NotReady):
        await repository.require_ready()


async def crowd(vendor: Vendor, license_id: str, count: int, first_seen_at: int) -> None:
    await vendor.change(
        "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < :count)"
        " INSERT INTO deployments (license_id, instance_id, first_seen_at, last_seen_at,"
        " client_name, client_version)"
        " SELECT :license_id, 'crowd-' || n, :seen, :seen, 'c', '1' FROM number",
        count=count,
        license_id=license_id,
        seen=first_seen_at,
    )
