from datetime import timedelta

import pytest

from license_server.errors import StateConflict
from license_server.licenses import (
    TRIAL_STARTS_WITHIN,
    Change,
    License,
    Standing,
    Status,
    new_license_id,
)
from support.licensing import DAY, NOW, a_license, a_trial

ALLOWED = {
    (Standing.ACTIVE, Change.SUSPEND): Standing.SUSPENDED,
    (Standing.ACTIVE, Change.REVOKE): Standing.REVOKED,
    (Standing.SUSPENDED, Change.REINSTATE): Standing.ACTIVE,
    (Standing.SUSPENDED, Change.REVOKE): Standing.REVOKED,
}
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("standing", Standing)
@pytest.mark.parametrize("change", Change)
def test_only_the_changes_of_the_contract_are_possible(standing: Standing, change: Change) -> None:
    license_ = a_license(standing=standing)
    if (standing, change) in ALLOWED:
        assert license_.after(change).standing is ALLOWED[standing, change]
    else:
        with pytest.raises(StateConflict, match=f"cannot {change} a license that is {standing}"):
            license_.after(change)


@pytest.mark.parametrize(
    "license_",
    [
        a_license(standing=Standing.REVOKED, expires_at=NOW),
        a_trial(),
        a_license(expires_at=None),
        a_license(expires_at=NOW + 2 * DAY),
        a_license(expires_at=NOW - 9 * DAY),
    ],
)
def test_a_renewal_that_gives_nothing_is_refused(license_: License) -> None:
    end = NOW + 2 * DAY if license_.expires_at != NOW - 9 * DAY else NOW - DAY
    with pytest.raises(StateConflict, match="rene"):
        license_.renewed(end, NOW)


def test_a_renewal_past_a_century_is_refused() -> None:
    with pytest.raises(StateConflict, match="36525 days"):
        a_license(expires_at=NOW).renewed(NOW + 40_000 * DAY, NOW)


def test_an_expired_license_is_active_again_by_renewal() -> None:
    expired = a_license(expires_at=NOW - 30 * DAY)
    assert expired.status(NOW) is Status.EXPIRED
    assert expired.renewed(NOW + DAY, NOW).status(NOW) is Status.ACTIVE
    assert expired.renewed(None, NOW).expires_at is None


@pytest.mark.parametrize(
    ("license_", "status"),
    [
        (a_license(), Status.ACTIVE),
        (a_license(expires_at=NOW - 7 * DAY + SECOND), Status.ACTIVE),
        (a_license(expires_at=NOW - 7 * DAY), Status.EXPIRED),
        (a_trial(), Status.TRIAL),
        (a_trial(expires_at=NOW), Status.EXPIRED),
        (a_license(standing=Standing.SUSPENDED, expires_at=NOW - DAY), Status.SUSPENDED),
        (a_license(standing=Standing.REVOKED), Status.REVOKED),
    ],
)
def test_expired_is_a_matter_of_time(license_: License, status: Status) -> None:
    assert license_.status(NOW) is status


def test_a_trial_runs_from_its_first_success() -> None:
    assert a_trial(issued_at=NOW - DAY).ends_at(NOW) == NOW + 14 * DAY


def test_a_trial_starts_by_itself_30_days_after_its_issue() -> None:
    issued = NOW - 40 * DAY
    assert a_trial(issued_at=issued).ends_at(NOW) == issued + TRIAL_STARTS_WITHIN + 14 * DAY


def test_a_started_trial_keeps_its_end() -> None:
    assert a_trial(expires_at=NOW + DAY).ends_at(NOW + 5 * DAY) == NOW + DAY


def test_ids_are_drawn_from_130_bits() -> None:
    ids = {new_license_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(len(drawn) == len("lic_") + 26 and drawn.islower() for drawn in ids)
