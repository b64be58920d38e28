"""Idempotency keys in their table."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, insert, select, update

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
        return await self.find(actor, key)

    async def find(self, actor: str, key: str) -> Kept | None:
        """See `IdempotencyStore`."""
        row = await self._row(select(idempotency_keys).where(_is(actor, key)))
        return None if row is None else Kept(row["fingerprint"], row["answer_sealed"])

    async def keep(self, actor: str, key: str, answer_sealed: bytes) -> None:
        """See `IdempotencyStore`."""
        await self._connection.execute(
            update(idempotency_keys).where(_is(actor, key)).values(answer_sealed=answer_sealed)
        )

    async def keep_part(
        self, actor: str, key: str, number: int, part_sealed: bytes, now: datetime
    ) -> None:
        """See `IdempotencyStore`."""
        values = {
            "actor": actor,
            "key": _part_key(key, number),
            "fingerprint": b"",
            "answer_sealed": part_sealed,
            "created_at": to_unix(now),
        }
        await self._connection.execute(insert(idempotency_keys).values(values))

    async def parts(self, actor: str, key: str, start: int, limit: int) -> Sequence[bytes]:
        """See `IdempotencyStore`."""
        keys = [_part_key(key, number) for number in range(start, start + limit)]
        query = select(idempotency_keys.c.key, idempotency_keys.c.answer_sealed).where(
            idempotency_keys.c.actor == actor, idempotency_keys.c.key.in_(keys)
        )
        found = {row["key"]: row["answer_sealed"] for row in await self._rows(query)}
        return [found[one] for one in keys if one in found]

    async def forget_before(self, before: datetime) -> int:
        """See `IdempotencyStore`."""
        forgotten = await self._connection.execute(
            delete(idempotency_keys).where(idempotency_keys.c.created_at < to_unix(before))
        )
        return forgotten.rowcount


def _is(actor: str, key: str) -> ColumnElement[bool]:
    return and_(idempotency_keys.c.actor == actor, idempotency_keys.c.key == key)


def _part_key(key: str, number: int) -> str:
    """Return where a part of a long answer stands; the space keeps it apart from callers' keys."""
    return f"{hashlib.sha256(key.encode()).hexdigest()} {number}"
