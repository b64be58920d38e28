"""When a session of a browser is over, and what its forms carry."""

from datetime import UTC, datetime, timedelta

import pytest

from license_server.sessions import (
    OPERATORS,
    Lifetime,
    Session,
    form_token,
    hash_of_cookie,
    is_form_token,
    new_cookie,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LIFETIME = Lifetime(idle=timedelta(minutes=30), absolute=timedelta(hours=12))


@pytest.mark.parametrize(
    ("begun", "seen", "is_over"),
    [
        (timedelta(minutes=29), timedelta(minutes=29), False),
        (timedelta(minutes=30), timedelta(minutes=30), True),
        (timedelta(hours=11), timedelta(minutes=1), False),
        (timedelta(hours=12), timedelta(), True),
    ],
)
def test_a_session_ends_idle_or_old(begun: timedelta, seen: timedelta, *, is_over: bool) -> None:
    session = Session(b"", "opr_1", NOW - begun, NOW - seen)
    assert session.is_over(LIFETIME, NOW) is is_over


def test_an_operator_is_not_signed_in_for_ever() -> None:
    assert timedelta() < OPERATORS.idle < OPERATORS.absolute < timedelta(days=1)


def test_a_form_is_believed_only_with_the_cookie_of_its_page() -> None:
    mine, other = new_cookie(), new_cookie()
    assert is_form_token(form_token(mine), mine)
    for text in ("", form_token(other), form_token(mine)[:-1], mine, "é"):
        assert not is_form_token(text, mine)


def test_neither_hash_nor_form_token_tells_the_cookie() -> None:
    cookie = new_cookie()
    assert hash_of_cookie(cookie).hex() != form_token(cookie)
    assert cookie not in repr(Session(hash_of_cookie(cookie), "opr_1", NOW, NOW))
