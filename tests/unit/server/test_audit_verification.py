"""Verifying the audit log: the first entry that is not what was written is named."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from license_server.audit import EMPTY, AuditBroken, Change, Entry, Head, Verifier, link
from license_server.checkpoints import CheckpointSigner, read_checkpoint
from license_server.keyset_history import KeySetHistory
from license_server.keysets import KeyStatus
from license_server.signing import AUDIT_CHECKPOINT, CompactRejected, SigningKey
from support.licensing import ISSUER, NOW, SIGNER, a_history, key_set


def a_log(length: int) -> list[Entry]:
    """Return a sound log."""
    entries, head = [], EMPTY
    for number in range(1, length + 1):
        change = Change("cli", "license.issue", f"p1:{number}", None, {"number": number})
        entry = link(change, head, NOW)
        head = Head(entry.seq, entry.hash())
        entries.append(replace(entry, stored_hash=head.hash))
    return entries


def verified(entries: Sequence[Entry], expected: dict[int, bytes] | None = None) -> Head:
    """Return the head of a log that went through an export."""
    verifier = Verifier(expected)
    for entry in entries:
        verifier.add(Entry.from_line(entry.to_line()))
    return verifier.finish()


def changed(log: list[Entry]) -> list[Entry]:
    other = replace(log[4], change=replace(log[4].change, actor="somebody"))
    return [*log[:4], other, *log[5:]]


def changed_with_its_hash(log: list[Entry]) -> list[Entry]:
    other = replace(log[4], ts=1, stored_hash=None)
    return [*log[:4], replace(other, stored_hash=other.hash()), *log[5:]]


def dropped(log: list[Entry]) -> list[Entry]:
    return [*log[:4], *log[5:]]


def swapped(log: list[Entry]) -> list[Entry]:
    return [*log[:4], log[5], log[4], *log[6:]]


def doubled(log: list[Entry]) -> list[Entry]:
    return [*log[:5], log[4], *log[5:]]


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        (changed, "entry 5 was changed"),
        (changed_with_its_hash, "entry 6 does not follow entry 5"),
        (dropped, "entry 5 is missing"),
        (swapped, "entry 5 is missing"),
        (doubled, "entry 6 is missing"),
    ],
)
def test_the_first_bad_entry_is_named(
    attack: Callable[[list[Entry]], list[Entry]], said: str
) -> None:
    with pytest.raises(AuditBroken, match=said):
        verified(attack(a_log(10)))


def test_a_sound_log_ends_with_its_head() -> None:
    log = a_log(10)
    assert verified(log) == Head(10, log[-1].hash())
    assert verified([]) == EMPTY


def test_a_checkpoint_shows_a_log_that_was_cut_off_or_written_anew() -> None:
    log, other = a_log(10), a_log(10)
    expected = {10: log[-1].hash()}
    assert verified(log, expected).seq == 10
    with pytest.raises(AuditBroken, match="entry 8 is missing: a checkpoint knows 10"):
        verified(log[:7], expected)
    rewritten = a_log(0)
    head = EMPTY
    for entry in other:
        anew = link(replace(entry.change, actor="somebody"), head, NOW)
        head = Head(anew.seq, anew.hash())
        rewritten.append(replace(anew, stored_hash=head.hash))
    assert verified(rewritten) == head
    with pytest.raises(AuditBroken, match="entry 10 is not the one of the checkpoint"):
        verified(rewritten, expected)


def test_what_is_no_entry_is_refused() -> None:
    for line in (b"", b"{}", b"[]", b"\xff", b'{"seq": 1}'):
        with pytest.raises(AuditBroken):
            Entry.from_line(line)


def checkpoint_keys(**changes: object) -> KeySetHistory:
    listed = key_set().keys[0].model_copy(update={"use": (AUDIT_CHECKPOINT,), **changes})
    return a_history(key_set(keys=(listed,)))


def test_a_checkpoint_is_read_only_if_a_listed_key_signed_it() -> None:
    head = Head(7, b"h" * 32)
    text = CheckpointSigner(SIGNER, ISSUER).sign(head, NOW)
    read = read_checkpoint(text, checkpoint_keys())
    assert (read.head, read.at, read.issuer) == (head, NOW, ISSUER)
    stranger = CheckpointSigner(SigningKey.generate(), ISSUER).sign(head, NOW)
    elsewhere = CheckpointSigner(SIGNER, "ls_other").sign(head, NOW)
    mutated = text[:-4] + ("AAAA" if text[-4:] != "AAAA" else "BBBB")
    for bad in (stranger, elsewhere, mutated, "", "a.b", "a.b.c", text + "="):
        with pytest.raises(CompactRejected):
            read_checkpoint(bad, checkpoint_keys())
    for refused in ({"status": KeyStatus.REVOKED}, {"use": ("license-decision",)}):
        with pytest.raises(CompactRejected):
            read_checkpoint(text, checkpoint_keys(**refused))


def test_checkpoints_that_contradict_each_other_show_a_rewritten_log() -> None:
    log = a_log(5)
    honest, forged = Head(5, log[-1].hash()), Head(5, b"f" * 32)
    for heads in ([honest, forged], [forged, honest]):
        with pytest.raises(AuditBroken, match="different entries 5"):
            Verifier.against(heads)
    assert Verifier.against([EMPTY, honest, honest]).head == EMPTY


def test_a_checkpoint_of_a_time_before_or_after_its_key_is_refused() -> None:
    head = Head(7, b"h" * 32)
    listed = key_set().keys[0]
    for seconds in (listed.not_before - 1, listed.not_after):
        text = CheckpointSigner(SIGNER, ISSUER).sign(head, datetime.fromtimestamp(seconds, UTC))
        with pytest.raises(CompactRejected, match="time"):
            read_checkpoint(text, checkpoint_keys())
