from datetime import datetime, timedelta
from typing import Any

import pytest

from license_server.codes import Code
from license_server.errors import NotReady, RateLimited, SigningUnavailable
from license_server.evaluation import Operation
from license_server.license_keys import LicenseKey
from license_server.licenses import Standing
from license_server.ports import EMAIL_MISMATCHES
from license_server.products import Policy
from support.licensing import (
    DAY,
    HOUR,
    KEY,
    NOW,
    OTHER_EMAIL,
    PEPPERS,
    CountingThrottle,
    MemoryLicenses,
    MemoryServer,
    a_history,
    a_license,
    a_trial,
    an_issuer,
    claims_in,
    key_set,
    unix,
)

pytestmark = pytest.mark.anyio
MAX_LAG = timedelta(seconds=300)


async def test_a_clock_behind_the_database_signs_nothing() -> None:
    server = MemoryServer(MemoryLicenses(newest=NOW + MAX_LAG + timedelta(seconds=1)))
    with pytest.raises(SigningUnavailable, match="clock"):
        await server.ask()


async def test_a_clock_a_little_behind_still_signs() -> None:
    server = MemoryServer(MemoryLicenses(newest=NOW + MAX_LAG))
    assert (await server.ask()).valid


async def test_a_clock_set_back_while_running_signs_nothing_until_it_is_right() -> None:
    server = MemoryServer()
    await server.ask(now=NOW)
    with pytest.raises(SigningUnavailable, match="clock"):
        await server.ask(now=NOW - HOUR)
    assert (await server.ask(now=NOW)).valid


async def test_the_time_of_another_server_is_noticed_within_a_minute() -> None:
    server = MemoryServer()
    await server.ask(now=NOW)
    server.licenses.newest = NOW + HOUR
    with pytest.raises(SigningUnavailable, match="clock"):
        await server.ask(now=NOW + timedelta(seconds=60))


@pytest.mark.parametrize("now", [NOW - 31 * DAY, NOW + 365 * DAY])
async def test_a_signing_key_out_of_its_time_signs_nothing(now: datetime) -> None:
    server = MemoryServer(MemoryLicenses(newest=NOW - 40 * DAY))
    with pytest.raises(SigningUnavailable, match="signing key"):
        await server.ask(now=now)


async def test_a_repository_that_is_down_is_not_ready() -> None:
    server = MemoryServer(MemoryLicenses(is_down=True))
    with pytest.raises(NotReady):
        await server.ask()
    with pytest.raises(NotReady):
        await server.service.require_ready(NOW)


async def test_ready_means_that_a_decision_could_be_signed() -> None:
    server = MemoryServer()
    await server.service.require_ready(NOW)
    with pytest.raises(SigningUnavailable):
        await server.service.require_ready(NOW + 365 * DAY)


async def test_guesses_of_an_email_end_after_ten_for_instances_that_nobody_knows() -> None:
    server = MemoryServer()
    for _ in range(10):
        assert (await server.ask(email=OTHER_EMAIL)).code is Code.EMAIL_MISMATCH
    with pytest.raises(RateLimited):
        await server.ask(email=OTHER_EMAIL)


async def test_past_the_limit_the_right_email_is_no_way_to_tell() -> None:
    server = MemoryServer(throttle=CountingThrottle(allowed=0))
    with pytest.raises(RateLimited) as wrong:
        await server.ask(email=OTHER_EMAIL)
    with pytest.raises(RateLimited) as right:
        await server.ask()
    assert str(wrong.value) == str(right.value)


async def test_a_registered_deployment_is_never_stopped_by_guesses_of_others() -> None:
    server = MemoryServer()
    await server.ask(Operation.ACTIVATE)
    for _ in range(10):
        await server.ask(email=OTHER_EMAIL, instance_id="another")
    assert (await server.ask()).valid
    assert (await server.ask(email=OTHER_EMAIL)).code is Code.EMAIL_MISMATCH


async def test_guesses_are_counted_under_the_key_as_the_database_holds_it() -> None:
    server = MemoryServer()
    await server.ask(email=OTHER_EMAIL)
    assert server.throttle.counts == {(EMAIL_MISMATCHES, PEPPERS.key_macs(KEY)[0].hex()): 1}


async def test_a_no_is_signed_as_well_as_a_yes() -> None:
    server = MemoryServer()
    answer = await server.ask(key=LicenseKey.generate())
    assert (answer.valid, answer.code, answer.status) == (False, Code.LICENSE_NOT_FOUND, None)
    assert claims_in(answer.decision)["code"] == "LICENSE_NOT_FOUND"


@pytest.mark.parametrize(
    "changes",
    [{"key": LicenseKey.generate()}, {"email": OTHER_EMAIL}, {"product": "other"}],
)
async def test_who_names_a_license_wrongly_learns_nothing_of_it(
    changes: dict[str, Any],
) -> None:
    answer = await MemoryServer().ask(**changes)
    claims = claims_in(answer.decision)
    assert claims["sub"] == ""
    assert answer.status is None
    assert not claims.keys() & {"st", "kind", "lex", "rgr", "ent", "lim", "exp", "grc"}


async def test_an_activation_registers_a_deployment_once() -> None:
    server = MemoryServer()
    await server.ask(Operation.ACTIVATE, now=NOW)
    await server.ask(Operation.ACTIVATE, now=NOW + HOUR)
    assert server.licenses.deployments == {"instance-1": NOW}


async def test_a_validation_registers_nobody_under_an_unlimited_license() -> None:
    server = MemoryServer()
    assert (await server.ask()).valid
    assert server.licenses.deployments == {}


async def test_a_validation_takes_a_seat_under_a_limit_or_is_told_that_none_is_left() -> None:
    server = MemoryServer(MemoryLicenses(policy=Policy(deployment_limit=1)))
    assert (await server.ask(instance_id="first")).valid
    assert (await server.ask(instance_id="second")).code is Code.DEPLOYMENT_LIMIT
    assert (await server.ask(instance_id="first")).valid


async def test_a_deactivation_frees_the_seat() -> None:
    server = MemoryServer(MemoryLicenses(policy=Policy(deployment_limit=1)))
    await server.ask(instance_id="first")
    gone = await server.ask(Operation.DEACTIVATE, instance_id="first")
    assert (gone.valid, gone.code) == (False, Code.DEACTIVATED)
    assert (await server.ask(instance_id="second")).valid


async def test_a_wrong_email_neither_registers_nor_forgets() -> None:
    server = MemoryServer()
    await server.ask(Operation.ACTIVATE)
    await server.ask(Operation.ACTIVATE, email=OTHER_EMAIL, instance_id="another")
    await server.ask(Operation.DEACTIVATE, email=OTHER_EMAIL)
    assert list(server.licenses.deployments) == ["instance-1"]


async def test_the_first_success_starts_a_trial_and_is_recorded() -> None:
    server = MemoryServer(MemoryLicenses(a_trial()))
    first = await server.ask(now=NOW)
    later = await server.ask(now=NOW + DAY)
    end = unix(NOW + 14 * DAY)
    assert [claims_in(answer.decision)["lex"] for answer in (first, later)] == [end, end]
    assert [change.action for change in server.licenses.changes] == ["license.start_trial"]
    assert "lic_" not in server.licenses.changes[0].subject


async def test_a_refusal_starts_no_trial() -> None:
    server = MemoryServer(MemoryLicenses(a_trial(standing=Standing.SUSPENDED)))
    await server.ask()
    assert server.licenses.license.expires_at is None


async def test_a_client_gets_the_key_sets_above_its_own() -> None:
    server = MemoryServer(
        keysets=a_history(key_set(1), key_set(2), key_set(3)), issuer=an_issuer(key_set(3))
    )
    answer = await server.ask(keyset_epoch=1)
    assert answer.keyset == server.service.keysets_above(1)
    assert answer.keyset is not None
    assert len(answer.keyset) == 1
    assert (await server.ask(keyset_epoch=3)).keyset is None


async def test_a_decision_tells_the_time_of_the_server() -> None:
    answer = await MemoryServer(MemoryLicenses(a_license(expires_at=NOW + 5 * DAY))).ask()
    claims = claims_in(answer.decision)
    assert (answer.server_time, claims["iat"]) == (NOW, unix(NOW))
    assert answer.warnings == ("EXPIRING_SOON",)
