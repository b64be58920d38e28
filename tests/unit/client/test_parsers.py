"""Whatever the bytes are, nothing but our own errors comes out."""

import json
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from license_client import LicenseError
from license_client._cache import EncryptionKey, KeyRing, read_document
from license_client._clock import Deadline
from license_client._conversation import Conversation
from license_client._credentials import Credentials, read_email, read_key
from license_client._json import MalformedError, from_base64url, read_object, to_base64url
from license_client._keyset import load_anchor
from license_client._option_values import read_server_url
from license_client._settings import build_settings
from license_client._transport import Call, Reply
from license_client._verify import verify_decision
from license_client.testing.vendor import Pair, Vendor, b64, compact, make_key, sign_key_set

VENDOR = Vendor()
SETTINGS = build_settings({"product": "p", "trust": VENDOR.trust})
CREDENTIALS = Credentials(read_key(make_key(1)), read_email("ada@example.com"))
KEY = EncryptionKey(bytes(32))

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
CLAIMS = "v iss aud jti sub iat ref exp grc req ins kb own val code wrn kse st kind lex rgr ent lim"
claims = st.dictionaries(
    st.sampled_from(CLAIMS.split()),
    json_values | st.sampled_from([1, 1_800_000_000, "VALID", "REVOKED", True, "paid", {}]),
)
tokens = st.lists(st.binary(), min_size=3, max_size=3).map(lambda parts: ".".join(map(b64, parts)))
documents = st.one_of(
    st.binary(max_size=200),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.text().map(lambda text: json.dumps({"decision": text, "keyset": [{}]}).encode()),
)


class Answering:
    """A way to a server that says one thing."""

    def __init__(self, status: int, body: bytes) -> None:
        self._reply = Reply(status, body, None)

    def send(self, call: Call, deadline: Deadline) -> Reply:  # noqa: ARG002 - whatever is asked
        return self._reply


def is_ours(parse: Callable[[], object]) -> None:
    """Let our own errors pass; any other fails the test."""
    with suppress(LicenseError):
        parse()


@given(st.text())
def test_a_key_may_be_anything(typed: str) -> None:
    is_ours(lambda: read_key(typed))


@given(st.one_of(st.text(), st.emails(), st.text().map(lambda domain: f"a@{domain}.example")))
def test_an_email_may_be_anything_and_reading_it_twice_changes_nothing(typed: str) -> None:
    with suppress(LicenseError):
        once = read_email(typed)
        assert read_email(once) == once


@given(st.text())
def test_a_server_url_may_be_anything(typed: str) -> None:
    is_ours(lambda: read_server_url(typed, insecure=True))


@given(documents)
def test_a_trust_file_may_be_anything(data: bytes) -> None:
    is_ours(lambda: load_anchor(data))


@given(claims)
def test_a_key_set_may_say_anything(members: dict[str, object]) -> None:
    signed = sign_key_set(json.dumps(members).encode(), [Pair("root 1")])
    is_ours(lambda: load_anchor(compact(signed)))


@given(documents)
def test_a_cache_file_may_be_anything(data: bytes) -> None:
    is_ours(lambda: read_document(data, KeyRing(KEY)))


@given(json_values)
def test_a_cache_document_may_say_anything(value: object) -> None:
    data = json.dumps({"v": 1, "enc": "none", "doc": {"decision": None, "keyset": value}})
    is_ours(lambda: read_document(data.encode(), KeyRing()))


def verify(token: str) -> object:
    return verify_decision(
        token, key_set=SETTINGS.anchor.current, product="p", credentials=CREDENTIALS
    )


@given(st.text() | tokens)
def test_a_decision_may_be_anything(token: str) -> None:
    is_ours(lambda: verify(token))


@given(claims)
def test_a_signed_decision_may_say_anything(members: dict[str, object]) -> None:
    token = VENDOR.signer.compact("license-decision+jwt", json.dumps(members).encode())
    is_ours(lambda: verify(token))


@given(st.integers(100, 599), documents)
def test_a_server_may_answer_anything(status: int, body: bytes) -> None:
    conversation = Conversation(SETTINGS, Answering(status, body), SETTINGS.anchor, Deadline(1))
    is_ours(lambda: conversation.ask("validate", CREDENTIALS, "instance"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"1",
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e999}',
        b'{"a":1.0}',
        b'{"a":9007199254740992}',
        b'{"a":' + b"9" * 5_000 + b"}",
        b'{"a":"\\ud800"}',
        b'{"\\udfff":1}',
        b'{"a":"\xff"}',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        b'{"a":1} x',
        b"{'a':1}",
        b'{"a":' + b"[" * 100_000,
        b'{"a":' + b"[" * 16 + b"]" * 16 + b"}",
    ],
)
def test_json_that_two_readers_may_take_differently_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        read_object(data)
    assert caught.value.rule == "json"


@given(st.binary())
def test_base64url_has_one_spelling(data: bytes) -> None:
    assert from_base64url(to_base64url(data)) == data


@pytest.mark.parametrize("text", ["A", "AB", "AA=", "AA==", "A A", "AA\n", "A+", "A/", "é", "AAB"])
def test_base64url_in_another_spelling_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        from_base64url(text)
