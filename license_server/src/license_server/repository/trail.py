"""Appending to the audit log, inside the transaction of the change."""

from datetime import datetime
from typing import Final

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from license_server.audit import EMPTY, Change, Entry, Head, canonical_json, link
from license_server.repository.tables import audit_log

_LOCK: Final = 0x6C73_6175  # "lsau": one appender at a time on PostgreSQL


async def append(connection: AsyncConnection, change: Change, now: datetime) -> None:
    """Append `change` to the log, after whatever was appended before it."""
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    newest = select(audit_log.c.seq, audit_log.c.hash).order_by(audit_log.c.seq.desc()).limit(1)
    row = (await connection.execute(newest)).one_or_none()
    entry = link(change, Head(row.seq, row.hash) if row else EMPTY, now)
    await connection.execute(insert(audit_log).values(**_values(entry)))


def _values(entry: Entry) -> dict[str, object]:
    change = entry.change
    return {
        "seq": entry.seq,
        "ts": entry.ts,
        "actor": change.actor,
        "action": change.action,
        "subject": change.subject,
        "before": None if change.before is None else canonical_json(change.before),
        "after": None if change.after is None else canonical_json(change.after),
        "request_id": change.request_id,
        "previous": entry.previous,
        "hash": entry.hash(),
    }
