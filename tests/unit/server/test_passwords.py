"""Passwords of operators."""

import pytest

from license_server.passwords import (
    MAX_BYTES,
    generate_password,
    hash_password,
    password_weakness,
    verify_password,
)


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("short", "15 characters"),
        ("a" * 20, "different symbols"),
        ("AbAbAbAbAbAbAbAbAb", "different symbols"),
        ("I am grace hopper, hello", "without the operator's name"),
        ("correct horse " * 100, f"{MAX_BYTES} bytes"),
    ],
)
def test_a_weak_password_is_refused_with_what_is_expected(password: str, expected: str) -> None:
    assert expected in (password_weakness("grace", password) or "")


def test_a_long_one_without_rules_of_composition_will_do() -> None:
    assert password_weakness("grace", "correct horse battery") is None
    assert password_weakness("grace", generate_password()) is None


def test_only_the_password_of_a_hash_fits_it() -> None:
    hashed = hash_password("correct horse battery")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert verify_password("correct horse battery", hashed)
    assert not verify_password("correct horse batterY", hashed)
    assert hash_password("correct horse battery") != hashed
