from dataclasses import replace
from hashlib import sha256

import pytest

from license_server.audit import EMPTY, Change, Entry, Head, link
from support.licensing import HOUR, NOW

CHANGE = Change("cli", "license.revoke", "p1:00", {"standing": "active"}, {"standing": "revoked"})


def test_the_log_begins_with_entry_1_after_nothing() -> None:
    first = link(CHANGE, EMPTY, NOW)
    assert (first.seq, first.previous) == (1, bytes(32))


def test_each_entry_holds_the_hash_of_the_one_before() -> None:
    first = link(CHANGE, EMPTY, NOW)
    second = link(CHANGE, Head(first.seq, first.hash()), NOW)
    assert (second.seq, second.previous) == (2, first.hash())
    assert second.hash() != first.hash()


@pytest.mark.parametrize(
    "changed",
    [
        replace(link(CHANGE, EMPTY, NOW), seq=2),
        replace(link(CHANGE, EMPTY, NOW), previous=b"1" * 32),
        link(CHANGE, EMPTY, NOW + HOUR),
        link(replace(CHANGE, actor="client"), EMPTY, NOW),
        link(replace(CHANGE, action="license.suspend"), EMPTY, NOW),
        link(replace(CHANGE, subject="p1:01"), EMPTY, NOW),
        link(replace(CHANGE, before=None), EMPTY, NOW),
        link(replace(CHANGE, after=None), EMPTY, NOW),
        link(replace(CHANGE, request_id="1"), EMPTY, NOW),
    ],
)
def test_every_part_of_an_entry_is_under_its_hash(changed: Entry) -> None:
    assert changed.hash() != link(CHANGE, EMPTY, NOW).hash()


def test_the_hash_is_over_one_spelling_of_the_entry() -> None:
    spelled = (
        b'audit-entry-v1\0{"action":"license.revoke","actor":"cli",'
        b'"after":{"standing":"revoked"},"before":{"standing":"active"},"previous":"%s",'
        b'"request_id":null,"seq":1,"subject":"p1:00","ts":1795435200,"v":1}' % (b"0" * 64)
    )
    assert link(CHANGE, EMPTY, NOW).hash() == sha256(spelled).digest()
