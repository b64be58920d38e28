from base64 import b64encode

import pytest

from db_api.credentials import BasicLogin, PresentedKey, read_credential
from db_api.errors import CredentialInvalidError, CredentialMissingError

KEY = "0123456789abcdef" * 4
OTHER = "f" * 64


def basic(text: str) -> bytes:
    return b"Basic " + b64encode(text.encode())


def test_no_credential_is_told_apart_from_a_wrong_one() -> None:
    with pytest.raises(CredentialMissingError):
        read_credential([(b"host", b"localhost")])


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"Bearer",
        b"Bearer x",
        b"Bearer " + b"g" * 64,
        b"Bearer " + KEY.upper().encode(),
        b"Bearer " + KEY.encode() + b"0",
        b"Bearer eyJhbGciOiJub25lIn0.e30.",
        b"Digest username=x",
        b"Basic",
        b"Basic !!!",
        b"Basic " + b64encode(b"no colon"),
        b"Basic " + b64encode(b"\xff\xfe:x"),
        b"Basic " + b64encode(b"x" * 8000 + b":y"),
        b"Basic \xff\xfe",
        b"\xff\xfe",
    ],
)
def test_a_malformed_credential_is_refused(value: bytes) -> None:
    with pytest.raises(CredentialInvalidError):
        read_credential([(b"authorization", value)])


@pytest.mark.parametrize(
    "headers",
    [
        [(b"apikey", KEY.encode()), (b"apikey", OTHER.encode())],
        [(b"apikey", KEY.encode()), (b"authorization", b"Bearer " + OTHER.encode())],
        [(b"apikey", KEY.encode()), (b"authorization", basic("admin:x"))],
        [(b"authorization", basic("admin:x")), (b"authorization", basic("admin:y"))],
    ],
)
def test_several_different_credentials_are_refused(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(CredentialInvalidError):
        read_credential(headers)


@pytest.mark.parametrize(
    "headers",
    [
        [(b"apikey", KEY.encode())],
        [(b"authorization", b"Bearer " + KEY.encode())],
        [(b"authorization", b"bearer  " + KEY.encode())],
        [(b"apikey", KEY.encode()), (b"authorization", b"Bearer " + KEY.encode())],
    ],
)
def test_a_key_is_read_however_clients_send_it(headers: list[tuple[bytes, bytes]]) -> None:
    assert read_credential(headers) == PresentedKey(KEY)


def test_basic_keeps_colons_and_other_scripts_of_the_password() -> None:
    login = read_credential([(b"authorization", basic("admin:pä:ss"))])

    assert login == BasicLogin("admin", "pä:ss")


def test_a_credential_does_not_show_when_printed() -> None:
    assert KEY not in repr(PresentedKey(KEY))
    assert "hunter2" not in repr(BasicLogin("admin", "hunter2"))
