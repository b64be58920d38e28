import json

import pytest

from db_api.rest_errors import STATUS, RestError, render_error


@pytest.mark.parametrize(
    ("code", "status"),
    [
        *STATUS.items(),
        ("22P02", 400),
        ("23502", 400),
        ("23503", 409),
        ("23505", 409),
        ("25006", 405),
        ("25P02", 500),
        ("42501", 403),
        ("42703", 400),
        ("42883", 404),
        ("42P01", 404),
        ("53300", 503),
        ("57014", 504),
        ("57P01", 503),
        ("P0001", 400),
        ("P0002", 500),
        ("XX000", 500),
        ("PT402", 402),
        ("PT1ab", 500),
        ("PT999", 500),
        ("99999", 400),
    ],
)
def test_every_code_has_one_status(code: str, status: int) -> None:
    assert RestError(code, "x").status == status


def test_whoever_may_come_again_is_told_when() -> None:
    assert RestError("53300", "x").headers == (("Retry-After", "1"),)
    assert RestError("57014", "x").headers == ()


def test_a_body_always_has_all_four_members() -> None:
    body = render_error("PGRST100", 'a "b" é', None, None)
    assert json.loads(body) == {
        "code": "PGRST100",
        "message": 'a "b" é',
        "details": None,
        "hint": None,
    }
