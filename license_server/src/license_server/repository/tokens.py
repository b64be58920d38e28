"""Admin tokens in their table, as hashes."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import insert, select, update

from license_server.repository.rows import Row, optional, to_instant, to_unix
from license_server.repository.store import Store
from license_server.repository.tables import admin_tokens
from license_server.stores import TokenRecord
from license_server.tokens import AdminToken, Role


class SqlTokens(Store):
    """The `TokenStore`; its methods are described there."""

    async def add(self, token: AdminToken) -> None:
        """See `TokenStore`."""
        await self._connection.execute(
            insert(admin_tokens).values(
                hash=token.hash(),
                id=token.token_id,
                name=token.name,
                prefix=token.prefix,
                role=token.role.value,
                created_at=to_unix(token.created_at),
                expires_at=to_unix(token.expires_at),
            )
        )

    async def find(self, token_hash: bytes) -> TokenRecord | None:
        """See `TokenStore`."""
        row = await self._row(select(admin_tokens).where(admin_tokens.c.hash == token_hash))
        return None if row is None else _to_record(row)

    async def look_up(self, token_id: str) -> TokenRecord | None:
        """See `TokenStore`."""
        row = await self._row(select(admin_tokens).where(admin_tokens.c.id == token_id))
        return None if row is None else _to_record(row)

    async def get(self, token_id: str) -> TokenRecord | None:
        """See `TokenStore`."""
        is_meant = admin_tokens.c.id == token_id
        row = await self._row(select(admin_tokens).where(is_meant).with_for_update())
        return None if row is None else _to_record(row)

    async def names(self, token_ids: Sequence[str]) -> Mapping[str, str]:
        """See `TokenStore`."""
        query = select(admin_tokens.c.id, admin_tokens.c.name).where(
            admin_tokens.c.id.in_(token_ids)
        )
        return {row["id"]: row["name"] for row in await self._rows(query)}

    async def all(self) -> Sequence[TokenRecord]:
        """See `TokenStore`."""
        rows = await self._rows(select(admin_tokens).order_by("created_at", "id"))
        return [_to_record(row) for row in rows]

    async def revoke(self, token_id: str, now: datetime) -> None:
        """See `TokenStore`."""
        await self._connection.execute(
            update(admin_tokens)
            .where(admin_tokens.c.id == token_id)
            .values(revoked_at=to_unix(now))
        )

    async def mark_used(self, token_id: str, now: datetime) -> None:
        """See `TokenStore`."""
        await self._connection.execute(
            update(admin_tokens)
            .where(admin_tokens.c.id == token_id)
            .values(last_used_at=to_unix(now))
        )


def _to_record(row: Row) -> TokenRecord:
    return TokenRecord(
        token_id=row["id"],
        name=row["name"],
        prefix=row["prefix"],
        role=Role(row["role"]),
        created_at=to_instant(row["created_at"]),
        expires_at=to_instant(row["expires_at"]),
        last_used_at=optional(to_instant, row["last_used_at"]),
        revoked_at=optional(to_instant, row["revoked_at"]),
    )
