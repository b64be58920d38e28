"""The audit log in its table: appended to, inside the transaction of the change, and read."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, func, select

from license_server.audit import EMPTY, Change, Entry, Head, State, canonical_json, link
from license_server.repository.rows import Row, Values, optional, to_unix
from license_server.repository.store import Store
from license_server.repository.tables import audit_log
from license_server.stores import AuditFilter

_LOCK: Final = 0x6C73_6175  # "lsau": one appender at a time on PostgreSQL


class SqlAudit(Store):
    """The `AuditStore`; its methods are described there."""

    async def append(self, changes: Sequence[Change], now: datetime) -> None:
        """See `AuditStore`; whoever appends at the same time is awaited."""
        if self._connection.dialect.name == "postgresql":
            await self._connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        head = await self._head()
        rows = []
        for change in changes:
            entry = link(change, head, now)
            head = Head(entry.seq, entry.hash())
            rows.append(_values(entry, head.hash))
        await self._add_many(audit_log, rows)

    async def entries(self, after: int, limit: int) -> Sequence[Entry]:
        """See `AuditStore`."""
        query = select(audit_log).where(audit_log.c.seq > after).order_by("seq").limit(limit)
        return [_to_entry(row) for row in await self._rows(query)]

    async def newest(self, limit: int) -> Sequence[Entry]:
        """See `AuditStore`."""
        return await self.page(AuditFilter(), limit, newest=True)

    async def page(self, which: AuditFilter, limit: int, *, newest: bool) -> Sequence[Entry]:
        """See `AuditStore`."""
        seq = audit_log.c.seq
        query = select(audit_log).where(*_conditions(which)).limit(limit)
        rows = await self._rows(query.order_by(seq.desc() if newest else seq))
        return [_to_entry(row) for row in (reversed(rows) if newest else rows)]

    async def _head(self) -> Head:
        newest = select(audit_log.c.seq, audit_log.c.hash).order_by(audit_log.c.seq.desc()).limit(1)
        row = await self._row(newest)
        return Head(row["seq"], row["hash"]) if row else EMPTY


def _conditions(which: AuditFilter) -> Iterator[ColumnElement[bool]]:
    columns = audit_log.c
    if which.after is not None:
        yield columns.seq > which.after
    if which.before is not None:
        yield columns.seq < which.before
    if which.action is not None and which.action.endswith("."):
        yield columns.action.startswith(which.action, autoescape=True)
    elif which.action is not None:
        yield columns.action == which.action
    if which.actor is not None:
        yield columns.actor == which.actor
    if which.subjects is not None:
        yield columns.subject.in_(which.subjects)
    if which.since is not None:
        yield columns.ts >= to_unix(which.since)
    if which.until is not None:
        yield columns.ts < to_unix(which.until)


def _values(entry: Entry, entry_hash: bytes) -> Values:
    change = entry.change
    return {
        "seq": entry.seq,
        "ts": entry.ts,
        "actor": change.actor,
        "action": change.action,
        "subject": change.subject,
        "before": optional(canonical_json, change.before),
        "after": optional(canonical_json, change.after),
        "request_id": change.request_id,
        "previous": entry.previous,
        "hash": entry_hash,
    }


def _to_entry(row: Row) -> Entry:
    change = Change(
        actor=row["actor"],
        action=row["action"],
        subject=row["subject"],
        before=optional(_state, row["before"]),
        after=optional(_state, row["after"]),
        request_id=row["request_id"],
    )
    return Entry(row["seq"], row["ts"], change, row["previous"], row["hash"])


def _state(text: str) -> State:
    state: State = json.loads(text)
    return state
