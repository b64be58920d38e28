import json
from typing import Any

import pytest

from license_server.errors import InvalidField, KeyMalformed, MalformedJson
from license_server.evaluation import Operation
from license_server.messages import LicenseRequest, read_request
from license_server.strict_json import read_object
from support.license_api import BODY, body
from support.licensing import EMAIL, KEY

LONG = "x" * 400


def fields_refused(**changes: Any) -> list[str]:
    """Return the names that a refusal of `body(**changes)` gives."""
    with pytest.raises(InvalidField) as refused:
        read_request(Operation.VALIDATE, body(**changes))
    return [error.field for error in refused.value.errors]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b"{}x",
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":1,"a":1}',
        b'{"a":1,"\\u0061":2}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":1.0}',
        b'{"a":1e2}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":9007199254740992}',
        b'{"a":%s}' % (b"9" * 5_000),
        b'{"a":"\\ud800"}',
        b'{"\\udfff":1}',
        b'{"a":"\n"}',
        b"\xef\xbb\xbf{}",
        b'{"a":"\xff"}',
        '{"a":1}'.encode("utf-16"),
        b'{"a":' * 17 + b"1" + b"}" * 17,
        b'{"a":' * 100_000,
        b'{"a":' + b"[" * 100_000,
    ],
    ids=range(24),
)
def test_json_that_two_readers_might_read_differently_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedJson):
        read_object(text)


def test_json_at_the_limits_is_read() -> None:
    deep = b'{"a":' * 15 + b"[9007199254740991]" + b"}" * 15

    assert read_object(deep)
    assert read_object(b'{"a":"\\ud83d\\ude00 { [","b":[{},{},{},{},{},{},{},{},{}]}')


@pytest.mark.parametrize(
    "member", [n for n, f in LicenseRequest.model_fields.items() if f.is_required()]
)
def test_every_required_member_is_missed_by_name(member: str) -> None:
    assert fields_refused(**{member: None}) == [member]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("license_key", 7),
        ("license_key", "x" * 129),
        ("email", LONG),
        ("email", "ada"),
        ("product", "DB-API"),
        ("product", "db-api\n"),
        ("instance_id", "a b"),
        ("instance_id", ""),
        ("nonce", "A" * 21),
        ("nonce", "A" * 21 + "B"),
        ("nonce", "A" * 22 + "\n"),
        ("client", "license-client"),
        ("client", []),
        ("keyset_epoch", "1"),
        ("keyset_epoch", True),
        ("keyset_epoch", -1),
        ("keyset_epoch", 2**31),
        ("app_version", ""),
        ("app_version", "1 0"),
        ("deployment_name", ""),
        ("deployment_name", "a\u202eb"),
        ("deployment_name", "a\nb"),
        ("deployment_name", "x" * 65),
    ],
)
def test_a_member_against_its_rule_is_named(member: str, value: object) -> None:
    assert fields_refused(**{member: value}) == [member]


@pytest.mark.parametrize("member", ["app_version", "deployment_name"])
def test_what_may_be_left_out_may_not_be_null(member: str) -> None:
    with pytest.raises(InvalidField, match=member):
        read_request(Operation.VALIDATE, json.dumps({**BODY, member: None}).encode())


def test_all_mistakes_are_named_at_once_with_what_is_expected() -> None:
    with pytest.raises(InvalidField) as refused:
        read_request(
            Operation.VALIDATE, body(product="É", client={"name": LONG}, keyset_epoch=None)
        )

    assert {error.field: bool(error.message) for error in refused.value.errors} == {
        "product": True,
        "client.name": True,
        "client.version": True,
        "keyset_epoch": True,
    }
    assert "É" not in str(refused.value)
    assert LONG not in str(refused.value)


def test_a_malformed_key_is_told_only_when_all_else_is_well() -> None:
    mistyped = KEY.reveal("LIC")[:-1] + ("0" if KEY.symbols[-1] != "0" else "1")

    assert fields_refused(license_key=mistyped, nonce="x") == ["nonce"]
    assert fields_refused(license_key=mistyped, email="x") == ["email"]
    with pytest.raises(KeyMalformed):
        read_request(Operation.VALIDATE, body(license_key=mistyped))


def test_a_request_is_read_as_people_type_it_and_unknown_members_are_ignored() -> None:
    read = read_request(
        Operation.ACTIVATE,
        body(
            license_key=KEY.reveal("lic").lower(),
            email=f" {EMAIL.address.upper()} ",
            deployment_name="Büro 2",
            app_version="2.4.0+build.7",
            colour={"of": ["the", "future"]},
        ),
    )

    assert (read.key, read.email) == (KEY, EMAIL)
    assert (read.deployment_name, read.app_version) == ("Büro 2", "2.4.0+build.7")


def test_the_digest_covers_the_operation_and_every_byte() -> None:
    texts = [body(), body() + b" "]

    digests = {read_request(operation, text).digest for operation in Operation for text in texts}

    assert len(digests) == 6


def test_no_representation_of_a_request_shows_key_or_email() -> None:
    read = read_request(Operation.VALIDATE, body())
    request = LicenseRequest.model_validate(BODY)

    for shown in (repr(read), str(read), repr(request), str(request)):
        assert KEY.symbols[:10] not in shown.replace("-", "")
        assert EMAIL.address not in shown
