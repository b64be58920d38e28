from db_api.passwords import (
    generate_password,
    hash_password,
    is_password_hash,
    password_weakness,
    verify_password,
)


def test_a_wrong_password_does_not_verify() -> None:
    phc = hash_password("correct horse battery staple")

    assert not verify_password("correct horse battery stapl", phc)
    assert not verify_password("", phc)


def test_a_hash_verifies_its_password_and_is_accepted_as_a_setting() -> None:
    phc = hash_password("correct horse battery staple")

    assert verify_password("correct horse battery staple", phc)
    assert is_password_hash(phc)


def test_two_hashes_of_one_password_differ() -> None:
    assert hash_password("the same") != hash_password("the same")


def test_a_generated_password_is_strong() -> None:
    assert password_weakness("admin", generate_password()) is None
