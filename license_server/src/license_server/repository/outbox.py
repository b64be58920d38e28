"""The outbox in its table."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select, tuple_, update

from license_server.repository.rows import Row, Values, optional, to_instant, to_unix
from license_server.repository.store import Store
from license_server.repository.tables import outbox
from license_server.stores import Backlog, OutboxEntry, OutboxKind, OutboxState, Position


class SqlOutbox(Store):
    """The `OutboxStore`; its methods are described there."""

    async def add(self, entry: OutboxEntry) -> bool:
        """See `OutboxStore`."""
        return await self._add_unless_there(outbox, {"id": entry.entry_id} | _values(entry))

    async def get(self, entry_id: str) -> OutboxEntry | None:
        """See `OutboxStore`."""
        row = await self._row(select(outbox).where(outbox.c.id == entry_id).with_for_update())
        return None if row is None else _to_entry(row)

    async def page(
        self,
        kind: OutboxKind,
        subject: str | None,
        state: OutboxState | None,
        after: Position | None,
        limit: int,
    ) -> Sequence[OutboxEntry]:
        """See `OutboxStore`."""
        order = (outbox.c.created_at, outbox.c.id)
        query = select(outbox).where(outbox.c.kind == kind.value)
        if subject is not None:
            query = query.where(outbox.c.subject == subject)
        if state is not None:
            query = query.where(outbox.c.state == state.value)
        if after is not None:
            query = query.where(tuple_(*order) > (to_unix(after.at), after.row_id))
        return [_to_entry(row) for row in await self._rows(query.order_by(*order).limit(limit))]

    async def claim(self, now: datetime, until: datetime, limit: int) -> Sequence[OutboxEntry]:
        """See `OutboxStore`; rows that another worker is taking are left to it."""
        is_free = or_(outbox.c.claimed_until.is_(None), outbox.c.claimed_until <= to_unix(now))
        due = (
            select(outbox)
            .where(
                outbox.c.state == OutboxState.PENDING.value,
                outbox.c.due_at <= to_unix(now),
                is_free,
            )
            .order_by("due_at", "id")
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        entries = [_to_entry(row) for row in await self._rows(due)]
        if not entries:
            return entries
        await self._connection.execute(
            update(outbox)
            .where(outbox.c.id.in_([entry.entry_id for entry in entries]))
            .values(claimed_until=to_unix(until))
        )
        return entries

    async def save(self, entry: OutboxEntry) -> None:
        """See `OutboxStore`."""
        await self._connection.execute(
            update(outbox).where(outbox.c.id == entry.entry_id).values(_values(entry))
        )

    async def erase_payloads(self, kind: OutboxKind, before: datetime) -> int:
        """See `OutboxStore`."""
        erased = await self._connection.execute(
            update(outbox)
            .where(
                outbox.c.kind == kind.value,
                outbox.c.created_at < to_unix(before),
                outbox.c.payload_sealed.is_not(None),
            )
            .values(_ERASED)
        )
        return erased.rowcount

    async def erase_subject(self, subject: str) -> None:
        """See `OutboxStore`."""
        await self._connection.execute(
            update(outbox).where(outbox.c.subject == subject).values(_ERASED)
        )

    async def backlog(self) -> Backlog:
        """See `OutboxStore`."""
        waiting = select(
            func.count().label("number"), func.min(outbox.c.due_at).label("due_at")
        ).where(outbox.c.state == OutboxState.PENDING.value)
        row = await self._row(waiting)
        return Backlog(row["number"], optional(to_instant, row["due_at"])) if row else Backlog(0)


_ERASED: Values = {
    "payload_sealed": None,
    "state": func.replace(outbox.c.state, OutboxState.PENDING.value, OutboxState.FAILED.value),
}


def _values(entry: OutboxEntry) -> Values:
    return {
        "kind": entry.kind.value,
        "topic": entry.topic,
        "dedupe_key": entry.dedupe_key,
        "subject": entry.subject,
        "payload_sealed": entry.payload_sealed,
        "state": entry.state.value,
        "attempts": entry.attempts,
        "created_at": to_unix(entry.created_at),
        "due_at": to_unix(entry.due_at),
        "claimed_until": None,
        "finished_at": optional(to_unix, entry.finished_at),
        "error": entry.error,
    }


def _to_entry(row: Row) -> OutboxEntry:
    return OutboxEntry(
        entry_id=row["id"],
        kind=OutboxKind(row["kind"]),
        topic=row["topic"],
        subject=row["subject"],
        payload_sealed=row["payload_sealed"],
        state=OutboxState(row["state"]),
        attempts=row["attempts"],
        created_at=to_instant(row["created_at"]),
        due_at=to_instant(row["due_at"]),
        finished_at=optional(to_instant, row["finished_at"]),
        error=row["error"],
        dedupe_key=row["dedupe_key"],
    )
