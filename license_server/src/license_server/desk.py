"""A desk: one unit of the vendor's work, with who does it, when, and in which transaction."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from license_server.audit import Change, State
from license_server.emails import Email
from license_server.sealing import Peppers, Sealer
from license_server.stores import (
    OutboxEntry,
    OutboxKind,
    OutboxState,
    StoredOwner,
    Transaction,
)
from license_server.tokens import drawn_id


@dataclass(frozen=True, slots=True)
class Vault:
    """What turns emails and keys into what the database may hold, and back."""

    peppers: Peppers = field(repr=False)
    sealer: Sealer = field(repr=False)

    def owner(self, email: Email) -> StoredOwner:
        """Return a new owner of `email`."""
        owner_id = f"own_{drawn_id()}"
        pepper = self.peppers.current
        return StoredOwner(
            owner_id=owner_id,
            email_index=pepper.email_index(email),
            domain_index=pepper.domain_index(email),
            email_sealed=self.sealer.seal(email, owner_id),
            pepper_id=pepper.pepper_id,
        )

    def email_of(self, email_sealed: bytes, owner_id: str) -> Email | None:
        """Return an owner's email; None = it is erased."""
        return self.sealer.unseal(email_sealed, owner_id) if email_sealed else None


@dataclass(frozen=True, slots=True)
class Desk:
    """One unit of work; its transaction is the caller's to begin and to end.

    Attributes:
        transaction: all that is done here holds, or nothing.
        vault: blinds and seals.
        actor: who works, for the audit log: `cli`, `worker`, a provider, or the id of a token.
        now: the server's time.
        request_id: of the request that asked for it.
    """

    transaction: Transaction
    vault: Vault
    actor: str
    now: datetime
    request_id: str | None = None

    async def record(
        self, action: str, subject: str, before: State | None, after: State | None
    ) -> None:
        """Append a change to the audit log, its subject blinded."""
        await self.transaction.audit.append([self.change(action, subject, before, after)], self.now)

    def change(
        self, action: str, subject: str, before: State | None, after: State | None
    ) -> Change:
        """Return what the audit log shall say of a change."""
        blinded = self.vault.peppers.current.audit_subject(subject)
        return Change(self.actor, action, blinded, before, after, self.request_id)

    async def post(
        self,
        kind: OutboxKind,
        topic: str,
        payload: Mapping[str, object],
        *,
        subject: str | None = None,
        dedupe_key: str | None = None,
    ) -> bool:
        """Put something into the outbox; False = there is one of its dedupe key already."""
        entry_id = f"out_{drawn_id()}"
        content = json.dumps(payload).encode("ascii")
        entry = OutboxEntry(
            entry_id=entry_id,
            kind=kind,
            topic=topic,
            subject=subject,
            payload_sealed=self.vault.sealer.seal_bytes(content, payload_context(entry_id)),
            state=OutboxState.PENDING,
            attempts=0,
            created_at=self.now,
            due_at=self.now,
            dedupe_key=dedupe_key,
        )
        return await self.transaction.outbox.add(entry)


def payload_context(entry_id: str) -> str:
    """Return what the seal of an outbox entry's payload is bound to."""
    return f"outbox.payload.{entry_id}"
