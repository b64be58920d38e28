"""One-time links in their table, as hashes."""

from datetime import datetime

from sqlalchemy import insert, select, update

from license_server.repository.rows import to_instant, to_unix
from license_server.repository.store import Store
from license_server.repository.tables import recovery_links
from license_server.stores import RecoveryLink


class SqlRecovery(Store):
    """The `RecoveryStore`; its methods are described there."""

    async def add(self, link: RecoveryLink) -> None:
        """See `RecoveryStore`."""
        await self._connection.execute(
            insert(recovery_links).values(
                hash=link.hash,
                owner_id=link.owner_id,
                product=link.product,
                expires_at=to_unix(link.expires_at),
            )
        )

    async def find(self, link_hash: bytes, now: datetime) -> RecoveryLink | None:
        """See `RecoveryStore`."""
        row = await self._row(
            select(recovery_links)
            .where(
                recovery_links.c.hash == link_hash,
                recovery_links.c.used_at.is_(None),
                recovery_links.c.expires_at > to_unix(now),
            )
            .with_for_update()
        )
        if row is None:
            return None
        return RecoveryLink(
            hash=row["hash"],
            owner_id=row["owner_id"],
            product=row["product"],
            expires_at=to_instant(row["expires_at"]),
        )

    async def use(self, link_hash: bytes, now: datetime) -> None:
        """See `RecoveryStore`."""
        await self._connection.execute(
            update(recovery_links)
            .where(recovery_links.c.hash == link_hash)
            .values(used_at=to_unix(now))
        )

    async def void(self, owner_id: str, now: datetime) -> None:
        """See `RecoveryStore`."""
        await self._connection.execute(
            update(recovery_links)
            .where(recovery_links.c.owner_id == owner_id, recovery_links.c.used_at.is_(None))
            .values(used_at=to_unix(now))
        )
