"""The audit log: one entry a change, each holding the hash of the one before.

Entries hold no personal data: a subject stands there as an HMAC under a pepper. Pure; the
repository appends an entry in the transaction of the change that it tells of.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

VERSION: Final = 1
ACTOR_CLI: Final = "cli"
ACTOR_CLIENT: Final = "client"

_LABEL: Final = b"audit-entry-v1\0"

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

    def hash(self) -> bytes:
        """Return SHA-256 of all that the entry says, 32 bytes."""
        content = {
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
        return hashlib.sha256(_LABEL + canonical_json(content).encode("ascii")).digest()


def link(change: Change, head: Head, now: datetime) -> Entry:
    """Return the entry that follows `head`."""
    return Entry(head.seq + 1, int(now.timestamp()), change, head.hash)


def canonical_json(content: State) -> str:
    """Return the one spelling of `content` that is hashed and stored: sorted, compact, ASCII."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
