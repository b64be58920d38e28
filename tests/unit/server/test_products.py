from datetime import timedelta
from typing import Any

import pytest

from license_server.emails import Email
from license_server.errors import InvalidField
from license_server.licenses import Kind
from license_server.orders import Order, new_license
from license_server.products import Policy, Product, require_sound
from support.licensing import DAY, HOUR, NOW


@pytest.mark.parametrize(
    ("field", "policy"),
    [
        ("key_prefix", {"key_prefix": "A"}),
        ("key_prefix", {"key_prefix": "lic"}),
        ("key_prefix", {"key_prefix": "LIC\n"}),
        ("refresh_seconds", {"refresh": timedelta(seconds=59)}),
        ("lease_seconds", {"lease": 5 * HOUR}),
        ("offline_grace_seconds", {"offline_grace": 23 * HOUR}),
        ("offline_grace_seconds", {"offline_grace": 401 * DAY}),
        ("validity_seconds", {"validity": timedelta()}),
        ("trial_seconds", {"trial": timedelta()}),
        ("renewal_grace_seconds", {"renewal_grace": -DAY}),
        ("renewal_grace_seconds", {"renewal_grace": 3651 * DAY}),
        ("expiring_notices_seconds", {"expiring_notices": (-DAY,)}),
        ("deployment_limit", {"deployment_limit": 0}),
        ("deployment_limit", {"deployment_limit": 10_001}),
        ("entitlements", {"entitlements": ("SSO",)}),
        ("entitlements", {"limits": {"": 1}}),
        ("entitlements", {"entitlements": tuple(f"e{i:060}" for i in range(40))}),
        ("limits", {"limits": {"seats": 2**53}}),
        ("minimum_client_version", {"minimum_client_version": "new"}),
        ("recommended_client_version", {"recommended_client_version": "1.x"}),
    ],
)
def test_a_policy_that_nobody_could_live_with_is_refused(
    field: str, policy: dict[str, Any]
) -> None:
    with pytest.raises(InvalidField) as refusal:
        require_sound(Product("db-api", "Data API", Policy(**policy)))
    assert [error.field for error in refusal.value.errors] == [field]


@pytest.mark.parametrize("code", ["", "DB", "-db", "db api", "db\n", "a" * 65])
def test_a_product_code_is_plain(code: str) -> None:
    with pytest.raises(InvalidField):
        require_sound(Product(code, "Data API"))


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(InvalidField) as refusal:
        require_sound(Product("DB", "", Policy(key_prefix="x", trial=timedelta())))
    fields = [error.field for error in refusal.value.errors]
    assert fields == ["code", "name", "key_prefix", "trial_seconds"]


def test_the_defaults_are_sound() -> None:
    assert require_sound(Product("db-api", "Data API")).policy.deployment_limit is None


def order(**changes: Any) -> Order:
    return Order("db-api", Email("ada@example.com"), **changes)


@pytest.mark.parametrize(
    "wrong",
    [
        order(expires_at=NOW),
        order(expires_at=NOW - DAY),
        order(starts_at=NOW + 2 * DAY, expires_at=NOW + DAY),
        order(starts_at=NOW - 9 * DAY, lasts=DAY),
        order(lasts=timedelta()),
        order(lasts=40_000 * DAY),
        order(expires_at=NOW + 40_000 * DAY),
    ],
)
def test_a_license_that_ends_before_it_begins_is_not_issued(wrong: Order) -> None:
    with pytest.raises(InvalidField):
        new_license(wrong, Policy(), NOW)


def test_a_license_lasts_as_ordered_or_as_the_product_says() -> None:
    yearly = Policy(validity=365 * DAY)
    assert new_license(order(), Policy(), NOW).expires_at is None
    assert new_license(order(), yearly, NOW).expires_at == NOW + 365 * DAY
    assert new_license(order(lasts=DAY), yearly, NOW).expires_at == NOW + DAY
    assert new_license(order(expires_at=NOW + DAY), yearly, NOW).expires_at == NOW + DAY


def test_what_the_policy_says_of_its_life_is_fixed_at_issue() -> None:
    paid = new_license(order(), Policy(renewal_grace=3 * DAY), NOW)
    trial = new_license(order(kind=Kind.TRIAL), Policy(trial=5 * DAY), NOW)
    assert (paid.renewal_grace, paid.trial) == (3 * DAY, None)
    assert (trial.renewal_grace, trial.trial, trial.expires_at) == (timedelta(), 5 * DAY, None)
