"""One-time codes, by the vectors of RFC 6238 and the rules of its section 5.2."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from license_server.totp import (
    STEP_SECONDS,
    code_at,
    enrollment_uri,
    matching_step,
    new_secret,
    secret_text,
)

RFC_SECRET = b"12345678901234567890"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STEP = int(NOW.timestamp()) // STEP_SECONDS


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    assert code_at(RFC_SECRET, now) == code
    assert matching_step(RFC_SECRET, code, 0, now) == seconds // STEP_SECONDS


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_clock_may_be_one_step_off(steps: int) -> None:
    code = code_at(RFC_SECRET, NOW + steps * timedelta(seconds=STEP_SECONDS))
    assert matching_step(RFC_SECRET, code, 0, NOW) == STEP + steps


@pytest.mark.parametrize("steps", [-2, 2])
def test_and_not_two(steps: int) -> None:
    code = code_at(RFC_SECRET, NOW + steps * timedelta(seconds=STEP_SECONDS))
    assert matching_step(RFC_SECRET, code, 0, NOW) is None


def test_a_code_is_taken_once_and_so_is_none_before_it() -> None:
    present, before = (code_at(RFC_SECRET, NOW - timedelta(seconds=n)) for n in (0, STEP_SECONDS))
    assert matching_step(RFC_SECRET, present, STEP, NOW) is None
    assert matching_step(RFC_SECRET, before, STEP, NOW) is None


@pytest.mark.parametrize("text", ["", "12345", "1234567", "abcdef", "\uff10" * 6])
def test_what_is_no_code_is_refused(text: str) -> None:
    assert matching_step(RFC_SECRET, text, 0, NOW) is None


def test_an_app_reads_the_secret_from_the_uri() -> None:
    secret = new_secret()
    uri = urlsplit(enrollment_uri(secret, "ada@example.com"))
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert parse_qs(uri.query)["secret"] == [secret_text(secret)]
    assert new_secret() != secret
