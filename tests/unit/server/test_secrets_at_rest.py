import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from license_server.emails import Email
from license_server.errors import ConfigurationError, FieldError, InvalidField
from license_server.license_keys import LicenseKey
from license_server.sealing import Pepper, Peppers, Sealer
from license_server.secret_files import is_open
from license_server.signing import SigningKey
from license_server.tokens import AdminToken, Role, hash_of_token
from support.licensing import DAY, EMAIL, KEY, NOW

SEALER = Sealer(b"k" * 32)
GOOD = {"id": "p1", "secret": "A" * 43}


@pytest.mark.parametrize("text", [b"", b"00" * 31, b"00" * 33, b"zz" * 32, b"\xff" * 64])
def test_a_sealing_key_is_64_hex_digits(text: bytes) -> None:
    with pytest.raises(ConfigurationError, match="64 hex digits"):
        Sealer.from_hex(text)


def test_a_sealed_email_opens_in_its_own_row_alone() -> None:
    sealed = SEALER.seal(EMAIL, "own_1")
    assert SEALER.unseal(sealed, "own_1") == EMAIL
    with pytest.raises(ConfigurationError, match="sealing key"):
        SEALER.unseal(sealed, "own_2")


@pytest.mark.parametrize("position", [0, 11, 12, 20, -1])
def test_a_flipped_bit_opens_nothing(position: int) -> None:
    sealed = bytearray(SEALER.seal(EMAIL, "own_1"))
    sealed[position] ^= 1
    with pytest.raises(ConfigurationError, match="sealing key"):
        SEALER.unseal(bytes(sealed), "own_1")


def test_equal_emails_are_sealed_differently() -> None:
    assert SEALER.seal(EMAIL, "own_1") != SEALER.seal(EMAIL, "own_1")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"peppers": 1}',
        '{"peppers": []}',
        json.dumps({"peppers": [{"id": "p1"}]}),
        json.dumps({"peppers": [{"id": 1, "secret": "A" * 43}]}),
        json.dumps({"peppers": [{"id": "p1", "secret": "A" * 42}]}),
        json.dumps({"peppers": [{"id": "p1", "secret": "A" * 42 + "B"}]}),
        json.dumps({"peppers": [GOOD, GOOD]}),
        json.dumps({"peppers": [GOOD | {"id": f"p{i}"} for i in range(3)]}),
        "[" * 100_000,
    ],
)
def test_what_is_no_peppers_file_is_refused(content: str) -> None:
    with pytest.raises(ConfigurationError, match="pepper"):
        Peppers.from_json(content)


def test_peppers_are_read_as_they_were_written() -> None:
    peppers = Peppers((Pepper.generate("p2"), Pepper.generate("p1")))
    assert Peppers.from_json(peppers.to_json()) == peppers
    assert peppers.current.pepper_id == "p2"


def test_each_kind_of_index_is_apart_from_the_others() -> None:
    pepper = Pepper("p1", b"1" * 32)
    marks = {
        pepper.key_mac(KEY).hex(),
        pepper.email_index(EMAIL).hex(),
        pepper.domain_index(EMAIL).hex(),
        pepper.audit_subject(EMAIL.address).partition(":")[2],
    }
    assert len(marks) == 4


@pytest.mark.parametrize(
    "secret",
    [
        KEY,
        EMAIL,
        Pepper("p1", b"secret-secret-secret-secret-1234"),
        SigningKey.from_seed(b"secret-secret-secret-secret-1234"),
        AdminToken.generate("shop", Role.OWNER, DAY, NOW),
    ],
)
def test_a_secret_is_in_no_representation(secret: object) -> None:
    shown = f"{secret!r} {secret} {[secret]}"
    for hidden in (KEY.symbols, EMAIL.address, EMAIL.domain, "secret-secret", "lsk_"):
        assert hidden not in shown


def test_the_text_of_a_refusal_holds_no_value() -> None:
    with pytest.raises(InvalidField) as refusal:
        Email.parse("ada@@example.com")
    assert refusal.value.errors == (FieldError("email", "exactly one @ is expected"),)


def test_drawn_keys_are_read_back() -> None:
    keys = {LicenseKey.generate() for _ in range(200)}
    assert len(keys) == 200
    assert all(LicenseKey.parse(key.reveal("DBAPI")) == key for key in keys)


def test_a_token_is_known_again_by_its_hash_alone() -> None:
    token = AdminToken.generate("shop", Role.OWNER, 365 * DAY, NOW)
    assert token.text.startswith("lsk_")
    assert token.prefix == token.text[:10]
    assert token.expires_at == NOW + 365 * DAY
    assert hash_of_token(token.text) == token.hash()
    assert len(token.hash()) == 32


@pytest.mark.parametrize("change", [str.lower, lambda text: text[:-1], lambda text: f"{text}0"])
def test_a_mistyped_token_is_none(change: Callable[[str], str]) -> None:
    token = AdminToken.generate("shop", Role.OWNER, DAY, NOW)
    assert hash_of_token(change(token.text)) is None


@pytest.mark.parametrize("text", ["", "lsk_", "lsk_" + "0" * 30, "lsk_" + "é" * 30, "\x00"])
def test_garbage_is_no_token(text: str) -> None:
    assert hash_of_token(text) is None


@pytest.mark.parametrize(
    ("name", "lasts"),
    [("", DAY), ("a" * 101, DAY), ("a\nb", DAY), ("a", 0 * DAY), ("a", 4000 * DAY)],
)
def test_a_token_has_a_name_and_an_end(name: str, lasts: timedelta) -> None:
    with pytest.raises(InvalidField):
        AdminToken.generate(name, Role.OWNER, lasts, NOW)


@pytest.mark.parametrize("pem", [b"", b"garbage", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_garbage_is_no_signing_key(pem: bytes) -> None:
    with pytest.raises(ConfigurationError, match="PEM"):
        SigningKey.from_pem(pem)


def test_a_signing_key_is_read_as_it_was_written() -> None:
    key = SigningKey.generate()
    assert SigningKey.from_pem(key.to_pem()).public == key.public


@pytest.mark.parametrize(
    ("mode", "owner", "group", "is_told"),
    [
        (0o440, 0, 0, False),  # a credential, as systemd shows one with its access list
        (0o440, 0, 1000, True),
        (0o440, 1000, 0, True),
        (0o640, 0, 0, True),
        (0o444, 0, 0, True),
        (0o400, 1000, 1000, False),
    ],
)
def test_a_credential_of_systemd_is_for_its_service_alone(
    mode: int, owner: int, *, group: int, is_told: bool
) -> None:
    assert is_open(mode, owner, group) is is_told
