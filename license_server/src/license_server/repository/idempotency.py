"""Idempotency keys in their table."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select, update

from license_server.repository.rows import to_unix
from license_server.repository.store import Store
from license_server.repository.tables import idempotency_keys
from license_server.stores import Kept


class SqlIdempotency(Store):
    """The `IdempotencyStore`; its methods are described there."""

    async def claim(self, actor: str, key: str, fingerprint: bytes, now: datetime) -> Kept | None:
        """See `IdempotencyStore`; a request of the same key under way is awaited."""
        values = {
            "actor": actor,
            "key": key,
            "fingerprint": fingerprint,
            "created_at": to_unix(now),
        }
        if await self._add_unless_there(idempotency_keys, values):
            return None
        row = await self._row(select(idempotency_keys).where(_is(actor, key)))
        return None if row is None else Kept(row["fingerprint"], row["answer_sealed"])

    async def keep(self, actor: str, key: str, answer_sealed: bytes) -> None:
        """See `IdempotencyStore`."""
        await self._connection.execute(
            update(idempotency_keys).where(_is(actor, key)).values(answer_sealed=answer_sealed)
        )

    async def forget_before(self, before: datetime) -> int:
        """See `IdempotencyStore`."""
        forgotten = await self._connection.execute(
            delete(idempotency_keys).where(idempotency_keys.c.created_at < to_unix(before))
        )
        return forgotten.rowcount


def _is(actor: str, key: str) -> ColumnElement[bool]:
    return and_(idempotency_keys.c.actor == actor, idempotency_keys.c.key == key)
