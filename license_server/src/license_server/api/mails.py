"""Mails over HTTP: how far each has come; what they say is not for reading."""

from typing import Final

from license_server.admin.outbox import mails, send_again
from license_server.api.endpoints import (
    READERS,
    SUPPORTERS,
    AnyEndpoint,
    Call,
    Document,
    Endpoint,
    Nothing,
    Reply,
)
from license_server.api.members import Id, Page, PageQuery, Shown, cursor_of
from license_server.stores import OutboxEntry, OutboxKind, OutboxState


class MailQuery(PageQuery):
    """Which mails."""

    subject: Id | None = None
    state: OutboxState | None = None


class MailDocument(Document):
    """A mail on its way, or delivered."""

    id: str
    template: str
    subject: str | None
    state: OutboxState
    attempts: int
    created_at: Shown
    due_at: Shown
    finished_at: Shown | None
    error: str | None

    @classmethod
    def of(cls, entry: OutboxEntry) -> "MailDocument":
        """Return what is answered of a mail."""
        return cls(
            id=entry.entry_id,
            template=entry.topic,
            subject=entry.subject,
            state=entry.state,
            attempts=entry.attempts,
            created_at=entry.created_at,
            due_at=entry.due_at,
            finished_at=entry.finished_at,
            error=entry.error,
        )


class MailPage(Page):
    """Mails, oldest first."""

    items: tuple[MailDocument, ...]


async def _list(call: Call[MailQuery, Nothing]) -> Reply:
    query = call.query
    entries = await mails(call.desk, query.subject, query.state, query.after(), query.limit)
    last = entries[-1] if len(entries) == query.limit else None
    cursor = None if last is None else cursor_of(last.created_at, last.entry_id)
    return Reply(MailPage(items=tuple(map(MailDocument.of, entries)), next_cursor=cursor))


async def _resend(call: Call[Nothing, Nothing]) -> Reply:
    entry = await send_again(call.desk, OutboxKind.MAIL, call.path["mail_id"])
    return Reply(MailDocument.of(entry))


ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    Endpoint(
        "GET", "/v1/admin/mails", "mail.list", "List mails, by license id or state", READERS,
        MailQuery, Nothing, MailPage, _list,
    ),
    Endpoint(
        "POST", "/v1/admin/mails/{mail_id}/resend", "mail.resend", "Try a given-up mail anew",
        SUPPORTERS, Nothing, Nothing, MailDocument, _resend,
    ),
)  # fmt: skip
