"""What was to be sent: seen, and sent again."""

from collections.abc import Sequence
from dataclasses import replace

from license_server.desk import Desk
from license_server.errors import NotFound, StateConflict
from license_server.stores import OutboxEntry, OutboxKind, OutboxState, Position


async def mails(
    desk: Desk,
    subject: str | None,
    state: OutboxState | None,
    after: Position | None,
    limit: int,
) -> Sequence[OutboxEntry]:
    """Return up to `limit` mails, oldest first; their content is not for reading."""
    return await desk.transaction.outbox.page(OutboxKind.MAIL, subject, state, after, limit)


async def mail_of(desk: Desk, entry_id: str) -> OutboxEntry:
    """Return a mail.

    Raises:
        NotFound: there is none of this id.
    """
    entry = await desk.transaction.outbox.get(entry_id)
    if entry is None or entry.kind is not OutboxKind.MAIL:
        raise NotFound("there is no mail of this id")
    return entry


async def send_again(
    desk: Desk, kind: OutboxKind, entry_id: str, subject: str | None = None
) -> OutboxEntry:
    """Try a given-up or finished entry anew.

    Raises:
        NotFound: there is none of this kind, id and subject.
        StateConflict: it is still being tried, or its content was erased.
    """
    entry = await desk.transaction.outbox.get(entry_id)
    if entry is None or entry.kind is not kind or (subject and entry.subject != subject):
        raise NotFound("there is no such entry")
    if entry.payload_sealed is None:
        raise StateConflict("its content was erased: rotate the key to send a new one")
    if entry.state is OutboxState.PENDING:
        raise StateConflict("it is still being tried")
    again = replace(
        entry, state=OutboxState.PENDING, attempts=0, due_at=desk.now, finished_at=None, error=None
    )
    await desk.transaction.outbox.save(again)
    await desk.record("outbox.send_again", entry_id, None, {"topic": entry.topic})
    return again
