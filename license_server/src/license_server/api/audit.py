"""The audit log over HTTP."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from pydantic import Field

from license_server.api.endpoints import (
    AUDITORS,
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
from license_server.api.members import LARGEST_PAGE
from license_server.audit import Entry

NDJSON: Final = "application/x-ndjson"
_BATCH: Final = 5_000


class AuditQuery(Members):
    """Which entries: the newest, or those behind a number."""

    after: int | None = Field(default=None, ge=0, lt=2**53)
    limit: int = Field(default=50, ge=1, le=LARGEST_PAGE)


class ExportQuery(Members):
    """From where on."""

    after: int = Field(default=0, ge=0, lt=2**53)


class EntryDocument(Document):
    """One entry; its subject is a keyed hash."""

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

    @classmethod
    def of(cls, entry: Entry) -> "EntryDocument":
        """Return what is answered of an entry."""
        return cls.model_validate(entry.content() | {"hash": (entry.stored_hash or b"").hex()})


class AuditList(Document):
    """Entries in their order."""

    items: tuple[EntryDocument, ...]


async def _list(call: Call[AuditQuery, Nothing]) -> Reply:
    log, query = call.desk.transaction.audit, call.query
    if query.after is None:
        entries = await log.newest(query.limit)
    else:
        entries = await log.entries(query.after, query.limit)
    return Reply(AuditList(items=tuple(map(EntryDocument.of, entries))))


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
    StreamEndpoint(
        "GET", "/v1/admin/audit/export", "audit.export",
        "Stream the audit log, one entry a line, as `audit verify` reads it", AUDITORS,
        ExportQuery, (), (NDJSON,), _export,
    ),
)  # fmt: skip
