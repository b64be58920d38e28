from dataclasses import replace
from datetime import timedelta

import pytest

from license_server.codes import Code, Notice
from license_server.evaluation import Effect, Found, Operation, Seat, Verdict, evaluate, is_older
from license_server.licenses import TRIAL_STARTS_WITHIN, Standing
from license_server.products import Policy
from support.licensing import DAY, NOW, PRODUCT, a_find, a_license, a_trial

SECOND = timedelta(seconds=1)
PAID = a_license(expires_at=NOW + 100 * DAY)
ENDED = a_license(expires_at=NOW - 7 * DAY)
LIMITED = Policy(deployment_limit=1)
DEMANDING = Policy(minimum_client_version="2.0")
ROTATED = a_find(key_superseded_until=NOW)
REVOKED = a_license(standing=Standing.REVOKED)


def judge(
    found: Found | None,
    operation: Operation = Operation.VALIDATE,
    product: str = PRODUCT,
    client_version: str = "1.0.0",
) -> Verdict:
    return evaluate(found, operation, product, client_version, NOW)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (Code.LICENSE_NOT_FOUND, None),
        (Code.EMAIL_MISMATCH, a_find(email_matches=False)),
        (Code.PRODUCT_MISMATCH, a_find(a_license(product="other"))),
        (Code.KEY_ROTATED, ROTATED),
        (Code.REVOKED, a_find(REVOKED)),
        (Code.SUSPENDED, a_find(a_license(standing=Standing.SUSPENDED))),
        (Code.NOT_YET_VALID, a_find(a_license(starts_at=NOW + SECOND))),
        (Code.EXPIRED, a_find(ENDED)),
        (Code.TRIAL_EXPIRED, a_find(a_trial(expires_at=NOW))),
        (Code.TRIAL_EXPIRED, a_find(a_trial(issued_at=NOW - TRIAL_STARTS_WITHIN - 14 * DAY))),
        (Code.CLIENT_TOO_OLD, a_find(policy=DEMANDING)),
        (Code.DEPLOYMENT_BLOCKED, a_find(seat=Seat.BLOCKED)),
        (Code.DEPLOYMENT_LIMIT, a_find(seat=Seat.FULL, policy=LIMITED)),
        (Code.VALID, a_find()),
        (Code.VALID, a_find(a_license(starts_at=NOW))),
        (Code.VALID, a_find(a_license(expires_at=NOW - 7 * DAY + SECOND))),
        (Code.VALID, a_find(a_trial(expires_at=NOW + SECOND))),
        (Code.VALID, a_find(a_trial(issued_at=NOW - TRIAL_STARTS_WITHIN))),
        (Code.VALID, a_find(seat=Seat.UNKNOWN)),
        (Code.VALID, a_find(seat=Seat.UNRECORDED)),
        (Code.VALID, a_find(key_superseded_until=NOW + SECOND)),
    ],
)
def test_each_code_has_its_reason(code: Code, found: Found | None) -> None:
    assert judge(found).code is code


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (Code.EMAIL_MISMATCH, a_find(a_license(product="other"), email_matches=False)),
        (Code.PRODUCT_MISMATCH, replace(ROTATED, license=a_license(product="other"))),
        (Code.KEY_ROTATED, replace(ROTATED, license=REVOKED)),
        (Code.REVOKED, a_find(replace(ENDED, standing=Standing.REVOKED))),
        (Code.EXPIRED, a_find(ENDED, policy=DEMANDING)),
        (Code.CLIENT_TOO_OLD, a_find(policy=DEMANDING, seat=Seat.BLOCKED)),
    ],
)
def test_the_earlier_reason_is_the_one_that_is_named(code: Code, found: Found) -> None:
    assert judge(found).code is code


@pytest.mark.parametrize(
    ("found", "notices"),
    [
        (a_find(PAID), ()),
        (a_find(a_license()), ()),
        (a_find(a_license(expires_at=NOW + 14 * DAY)), (Notice.EXPIRING_SOON,)),
        (a_find(a_license(expires_at=NOW + 14 * DAY + SECOND)), ()),
        (a_find(a_license(expires_at=NOW)), (Notice.RENEWAL_GRACE,)),
        (a_find(key_superseded_until=NOW + DAY), (Notice.KEY_SUPERSEDED,)),
        (a_find(policy=Policy(recommended_client_version="1.0.1")), (Notice.CLIENT_OUTDATED,)),
    ],
)
def test_a_yes_warns_of_what_is_coming(found: Found, notices: tuple[Notice, ...]) -> None:
    verdict = judge(found)
    assert (verdict.code, verdict.notices) == (Code.VALID, notices)


def test_a_no_warns_of_nothing() -> None:
    assert judge(a_find(seat=Seat.BLOCKED, key_superseded_until=NOW + DAY)).notices == ()


@pytest.mark.parametrize(
    ("found", "operation", "effect"),
    [
        (a_find(seat=Seat.UNKNOWN), Operation.ACTIVATE, Effect.REGISTER),
        (a_find(seat=Seat.UNKNOWN), Operation.VALIDATE, Effect.NONE),
        (a_find(seat=Seat.UNKNOWN, policy=LIMITED), Operation.VALIDATE, Effect.REGISTER),
        (a_find(seat=Seat.TAKEN), Operation.ACTIVATE, Effect.NONE),
        (a_find(seat=Seat.UNRECORDED), Operation.ACTIVATE, Effect.NONE),
        (a_find(REVOKED, seat=Seat.UNKNOWN), Operation.ACTIVATE, Effect.NONE),
        (a_find(email_matches=False, seat=Seat.UNKNOWN), Operation.ACTIVATE, Effect.NONE),
        (a_find(), Operation.DEACTIVATE, Effect.FORGET),
    ],
)
def test_only_a_rightly_named_sound_license_has_effects(
    found: Found, operation: Operation, effect: Effect
) -> None:
    assert judge(found, operation).effect is effect


@pytest.mark.parametrize("found", [a_find(), a_find(REVOKED), a_find(ENDED)])
def test_its_owner_may_deactivate_whatever_the_license_is_worth(found: Found) -> None:
    assert judge(found, Operation.DEACTIVATE).code is Code.DEACTIVATED


@pytest.mark.parametrize(
    "found", [None, a_find(email_matches=False), a_find(a_license(product="other")), ROTATED]
)
def test_nobody_else_deactivates(found: Found | None) -> None:
    verdict = judge(found, Operation.DEACTIVATE)
    assert verdict.code is not Code.DEACTIVATED
    assert verdict.effect is Effect.NONE


def test_only_the_first_success_starts_a_trial() -> None:
    assert judge(a_find(a_trial())).starts_trial
    assert not judge(a_find(a_trial(expires_at=NOW + DAY))).starts_trial
    assert not judge(a_find(a_trial(), email_matches=False)).starts_trial
    assert not judge(a_find()).starts_trial


@pytest.mark.parametrize(
    ("version", "than"),
    [("1.9", "1.10"), ("1.9.9", "2"), ("garbage", "0.1"), ("", "1"), ("1.0rc1", "1.0.1")],
)
def test_versions_are_compared_by_their_numbers(version: str, than: str) -> None:
    assert is_older(version, than)
    assert not is_older(than, version)


@pytest.mark.parametrize(("version", "than"), [("1.0", "1"), ("1.0.0+local", "1.0"), ("v2", "2")])
def test_equal_numbers_make_no_version_older(version: str, than: str) -> None:
    assert not is_older(version, than)


def test_without_a_minimum_every_version_will_do() -> None:
    assert not is_older("garbage", None)
