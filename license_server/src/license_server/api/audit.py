"""The audit log over HTTP."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import Field

from license_server.admin.actors import actor_names
from license_server.admin.licenses import Licenses
from license_server.api.endpoints import (
    AUDITORS,
    READERS,
    AnyEndpoint,
    Call,
    Document,
    Endpoint,
    Members,
    Nothing,
    Reply,
    StreamCall,
    Streamed,
    StreamEndpoint,
)
from license_server.api.members import LARGEST_PAGE, QueryInstant, Shown
from license_server.audit import Entry
from license_server.desk import Desk
from license_server.stores import AuditFilter

NDJSON: Final = "application/x-ndjson"
_BATCH: Final = 5_000

_Number = Annotated[int, Field(ge=0, lt=2**53)]
_Limit = Annotated[int, Field(ge=1, le=LARGEST_PAGE)]


class AuditQuery(Members):
    """Which entries: the newest of those that fit, or the first behind a number."""

    after: _Number | None = None
    before: _Number | None = None
    action: Annotated[str, Field(pattern=r"^[a-z_]{1,40}\.([a-z_]{1,40})?$")] | None = None
    actor: Annotated[str, Field(pattern="^[A-Za-z0-9_.:-]{1,64}$")] | None = None
    subject: Annotated[str, Field(pattern="^[A-Za-z0-9_.:-]{1,64}$")] | None = None
    since: QueryInstant | None = None
    until: QueryInstant | None = None
    limit: _Limit = 50

    def filter(self, desk: Desk) -> AuditFilter:
        """Return which entries are asked for."""
        peppers, subject = desk.vault.peppers, self.subject
        return AuditFilter(
            after=self.after,
            before=self.before,
            action=self.action,
            actor=self.actor,
            subjects=None if subject is None else peppers.audit_subjects(subject),
            since=self.since,
            until=self.until,
        )


class HistoryQuery(Members):
    """Which part of a history: the newest entries, or those before a number."""

    before: _Number | None = None
    limit: _Limit = 50


class ExportQuery(Members):
    """From where on."""

    after: int = Field(default=0, ge=0, lt=2**53)


class EntryDocument(Document):
    """One entry; its subject is a keyed hash, `actor_name` is not part of what is hashed."""

    seq: int
    ts: int
    actor: str
    action: str
    subject: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    request_id: str | None
    previous: str
    hash: str
    actor_name: str | None

    @classmethod
    def of(cls, entry: Entry, names: Mapping[str, str]) -> "EntryDocument":
        """Return what is answered of an entry, given the names of actors."""
        more = {
            "hash": (entry.stored_hash or b"").hex(),
            "actor_name": names.get(entry.change.actor),
        }
        return cls.model_validate(entry.content() | more)


class AuditList(Document):
    """Entries in their order."""

    items: tuple[EntryDocument, ...]


class HappeningDocument(Document):
    """One entry about one subject."""

    seq: int
    at: Shown
    actor: str
    actor_name: str | None
    action: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    request_id: str | None

    @classmethod
    def of(cls, entry: Entry, names: Mapping[str, str]) -> "HappeningDocument":
        """Return what is answered of an entry, given the names of actors."""
        change = entry.change
        return cls(
            seq=entry.seq,
            at=datetime.fromtimestamp(entry.ts, UTC),
            actor=change.actor,
            actor_name=names.get(change.actor),
            action=change.action,
            before=change.before,
            after=change.after,
            request_id=change.request_id,
        )


class History(Document):
    """What happened to one subject, newest first."""

    items: tuple[HappeningDocument, ...]
    next_before: int | None


async def _list(call: Call[AuditQuery, Nothing]) -> Reply:
    query, which = call.query, call.query.filter(call.desk)
    entries = await call.desk.transaction.audit.page(which, query.limit, newest=query.after is None)
    names = await actor_names(call.desk, entries)
    return Reply(AuditList(items=tuple(EntryDocument.of(entry, names) for entry in entries)))


async def _history(call: Call[HistoryQuery, Nothing]) -> Reply:
    desk, query, license_id = call.desk, call.query, call.path["license_id"]
    await Licenses(desk).get(license_id)
    subjects = desk.vault.peppers.audit_subjects(license_id)
    which = AuditFilter(before=query.before, subjects=subjects)
    entries = await desk.transaction.audit.page(which, query.limit, newest=True)
    names = await actor_names(desk, entries)
    items = tuple(HappeningDocument.of(entry, names) for entry in reversed(entries))
    more = items[-1].seq if len(items) == query.limit else None
    return Reply(History(items=items, next_before=more))


async def _export(call: StreamCall[ExportQuery]) -> Streamed:
    return Streamed(NDJSON, _lines(call))


async def _lines(call: StreamCall[ExportQuery]) -> AsyncIterator[bytes]:
    """Yield the log batch after batch; what is appended meanwhile comes too."""
    after = call.query.after
    while True:
        async with call.open_desk() as desk:
            entries = await desk.transaction.audit.entries(after, _BATCH)
        if not entries:
            return
        yield b"".join(entry.to_line() for entry in entries)
        after = entries[-1].seq


ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    Endpoint(
        "GET", "/v1/admin/audit", "audit.list", "List entries of the audit log", AUDITORS,
        AuditQuery, Nothing, AuditList, _list,
    ),
    Endpoint(
        "GET", "/v1/admin/licenses/{license_id}/history", "license.history",
        "Show what happened to a license, newest first", READERS, HistoryQuery, Nothing, History,
        _history,
    ),
    StreamEndpoint(
        "GET", "/v1/admin/audit/export", "audit.export",
        "Stream the audit log, one entry a line, as `audit verify` reads it", AUDITORS,
        ExportQuery, (), (NDJSON,), _export,
    ),
)  # fmt: skip
