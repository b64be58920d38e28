"""The audit log: one entry a change, each holding the hash of the one before.

Entries hold no personal data: a subject stands there as an HMAC under a pepper. Pure; the
repository appends an entry in the transaction of the change that it tells of.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from license_server.errors import LicenseServerError

VERSION: Final = 1
ACTOR_CLI: Final = "cli"
ACTOR_CLIENT: Final = "client"

_LABEL: Final = b"audit-entry-v1\0"
_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)

State = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Change:
    """What happened.

    Attributes:
        actor: who did it: `cli`, `client`, or the id of a credential.
        action: what, such as `license.revoke`.
        subject: to what, blinded (`sealing.Pepper.audit_subject`).
        before: the part of its state that changed, as it was; None = it did not exist.
        after: the same as it is now.
        request_id: of the request that asked for it.
    """

    actor: str
    action: str
    subject: str
    before: State | None
    after: State | None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of the log.

    Attributes:
        seq: its number, from 1 on; 0 in an empty log.
        hash: 32 bytes; zeros in an empty log.
    """

    seq: int
    hash: bytes


EMPTY: Final = Head(0, bytes(32))


class AuditBroken(LicenseServerError):  # noqa: N818 - says what happened
    """The log is not what was written; the text names the first entry that shows it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A change in its place in the log.

    Attributes:
        seq: number, from 1 on.
        ts: when, Unix seconds.
        change: what happened.
        previous: hash of the entry before, 32 bytes.
        stored_hash: what the log holds as its own hash, 32 bytes; None = it is not stored yet.
    """

    seq: int
    ts: int
    change: Change
    previous: bytes
    stored_hash: bytes | None = None

    def content(self) -> dict[str, object]:
        """Return all that the entry says, JSON-ready."""
        return {
            "v": VERSION,
            "seq": self.seq,
            "ts": self.ts,
            "actor": self.change.actor,
            "action": self.change.action,
            "subject": self.change.subject,
            "before": self.change.before,
            "after": self.change.after,
            "request_id": self.change.request_id,
            "previous": self.previous.hex(),
        }

    def hash(self) -> bytes:
        """Return SHA-256 of all that the entry says, 32 bytes."""
        content = canonical_json(self.content())
        return hashlib.sha256(_LABEL + content.encode("ascii")).digest()

    def to_line(self) -> bytes:
        """Return the stored entry as a line of an exported log."""
        stored = (self.stored_hash or self.hash()).hex()
        return canonical_json(self.content() | {"hash": stored}).encode("ascii") + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> "Entry":
        """Read a line of an exported log.

        Raises:
            AuditBroken: it is none.
        """
        try:
            members = json.loads(line)
            change = Change(
                actor=members["actor"],
                action=members["action"],
                subject=members["subject"],
                before=members["before"],
                after=members["after"],
                request_id=members["request_id"],
            )
            previous, stored = bytes.fromhex(members["previous"]), bytes.fromhex(members["hash"])
            return cls(members["seq"], members["ts"], change, previous, stored)
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise AuditBroken("a line is no entry of an audit log") from error


def link(change: Change, head: Head, now: datetime) -> Entry:
    """Return the entry that follows `head`."""
    return Entry(head.seq + 1, int(now.timestamp()), change, head.hash)


def canonical_json(content: State) -> str:
    """Return the one spelling of `content` that is hashed and stored: sorted, compact, ASCII."""
    return _ENCODER.encode(content)


class Verifier:
    """Walks a log from its first entry and stops at the first one that is not sound.

    Args:
        expected: hashes that the log must have at some numbers, from signed checkpoints.

    Attributes:
        head: the last sound entry.
    """

    def __init__(self, expected: Mapping[int, bytes] | None = None) -> None:
        self.head = EMPTY
        self._expected = dict(expected or {})

    def add(self, entry: Entry) -> None:
        """Take the next entry.

        Raises:
            AuditBroken: it was changed, or one before it was dropped, added or reordered.
        """
        due = self.head.seq + 1
        if entry.seq != due:
            raise AuditBroken(f"entry {due} is missing: entry {entry.seq} stands in its place")
        if entry.previous != self.head.hash:
            raise AuditBroken(f"entry {due} does not follow entry {due - 1}: one was replaced")
        found = entry.hash()
        if found != entry.stored_hash:
            raise AuditBroken(f"entry {due} was changed")
        if self._expected.pop(due, found) != found:
            raise AuditBroken(
                f"entry {due} is not the one of the checkpoint: the log was rewritten"
            )
        self.head = Head(due, found)

    @classmethod
    def against(cls, heads: Iterable[Head]) -> "Verifier":
        """Return a verifier that expects what checkpoints have seen.

        Raises:
            AuditBroken: two of them have seen different entries of one number.
        """
        expected: dict[int, bytes] = {}
        for head in heads:
            if head.seq and expected.setdefault(head.seq, head.hash) != head.hash:
                raise AuditBroken(
                    f"two checkpoints know different entries {head.seq}: the log was rewritten "
                    "between them"
                )
        return cls(expected)

    def finish(self) -> Head:
        """Return the last entry, once all have been taken.

        Raises:
            AuditBroken: a checkpoint knows entries that the log lacks.
        """
        if self._expected:
            raise AuditBroken(
                f"entry {self.head.seq + 1} is missing: a checkpoint knows {max(self._expected)} "
                "entries, so the database was restored from an old backup or cut off"
            )
        return self.head
