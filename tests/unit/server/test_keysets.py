import json

import pytest

from license_server.errors import ConfigurationError
from license_server.keyset_history import KeySetHistory
from license_server.keysets import KeySet, KeySetRejected, KeyStatus, Root, SignedKeySet
from license_server.signing import DECISION, SigningKey
from support.licensing import ROOT, SIGNER, a_history, key_set

NEW_ROOT = SigningKey.from_seed(b"n" * 32)


def with_key(**changes: object) -> KeySet:
    content = key_set()
    return content.model_copy(update={"keys": (content.keys[0].model_copy(update=changes),)})


@pytest.mark.parametrize(
    "content",
    [
        with_key(status=KeyStatus.VERIFY_ONLY),
        with_key(status=KeyStatus.REVOKED),
        with_key(use=("license-file",)),
        with_key(use=()),
        key_set(keys=()),
    ],
)
def test_a_key_that_clients_would_not_believe_does_not_sign(content: KeySet) -> None:
    with pytest.raises(ConfigurationError, match=SIGNER.kid):
        a_history(content).require_signing_key(SIGNER.kid, DECISION)


def test_the_newest_key_set_decides_who_signs() -> None:
    revoked = with_key(status=KeyStatus.REVOKED).model_copy(update={"epoch": 2})
    with pytest.raises(ConfigurationError, match="newest key set"):
        a_history(key_set(1), revoked).require_signing_key(SIGNER.kid, DECISION)
    assert a_history().require_signing_key(SIGNER.kid, DECISION).kid == SIGNER.kid


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "[1]", "[" * 100_000])
def test_what_is_no_array_of_key_sets_is_refused(text: str) -> None:
    with pytest.raises(KeySetRejected):
        KeySetHistory.from_json(text)


def test_a_history_is_read_as_it_was_written() -> None:
    history = a_history(key_set(1), key_set(2))
    assert KeySetHistory.from_json(history.to_json()).newest == history.newest


def test_the_members_of_a_document_stand_in_the_contracts_order() -> None:
    document = a_history().newest.document()
    assert list(document) == ["payload", "signatures"]
    payload = a_history().newest.content.model_dump_json()
    names = ["v", "iss", "epoch", "issued", "expires", "threshold", "roots", "keys"]
    assert list(json.loads(payload)) == names
    key_names = ["kid", "pub", "use", "not_before", "not_after", "status"]
    assert list(json.loads(payload)["keys"][0]) == key_names


def test_a_client_is_led_through_every_change_of_roots_and_past_the_rest() -> None:
    changed = key_set(3, roots=(Root.of(NEW_ROOT),))
    later = changed.model_copy(update={"epoch": 4})
    newest = changed.model_copy(update={"epoch": 5})
    history = KeySetHistory(
        [
            SignedKeySet.sign(key_set(1), [ROOT]),
            SignedKeySet.sign(key_set(2), [ROOT]),
            SignedKeySet.sign(changed, [ROOT, NEW_ROOT]),
            SignedKeySet.sign(later, [NEW_ROOT]),
            SignedKeySet.sign(newest, [NEW_ROOT]),
        ]
    )
    assert epochs_above(history, 1) == [3, 5]
    assert epochs_above(history, 3) == [5]
    assert epochs_above(history, 5) == []
    assert epochs_above(history, 9) == []


def epochs_above(history: KeySetHistory, epoch: int) -> list[int]:
    return [SignedKeySet.read(document).content.epoch for document in history.above(epoch)]
