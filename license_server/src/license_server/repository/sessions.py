"""Sessions of browsers in their table, as hashes."""

from datetime import datetime

from sqlalchemy import delete, insert, select, update

from license_server.repository.rows import to_instant, to_unix
from license_server.repository.store import Store
from license_server.repository.tables import sessions
from license_server.sessions import Session


class SqlSessions(Store):
    """The `SessionStore`; its methods are described there."""

    async def add(self, session: Session) -> None:
        """See `SessionStore`."""
        await self._connection.execute(
            insert(sessions).values(
                hash=session.hash,
                subject=session.subject,
                created_at=to_unix(session.created_at),
                seen_at=to_unix(session.seen_at),
            )
        )

    async def find(self, session_hash: bytes) -> Session | None:
        """See `SessionStore`."""
        row = await self._row(select(sessions).where(sessions.c.hash == session_hash))
        if row is None:
            return None
        created_at, seen_at = to_instant(row["created_at"]), to_instant(row["seen_at"])
        return Session(row["hash"], row["subject"], created_at, seen_at)

    async def mark_seen(self, session_hash: bytes, now: datetime) -> None:
        """See `SessionStore`."""
        is_meant = sessions.c.hash == session_hash
        await self._connection.execute(
            update(sessions).where(is_meant).values(seen_at=to_unix(now))
        )

    async def end(self, session_hash: bytes) -> None:
        """See `SessionStore`."""
        await self._connection.execute(delete(sessions).where(sessions.c.hash == session_hash))

    async def end_all(self, subject: str) -> int:
        """See `SessionStore`."""
        ending = delete(sessions).where(sessions.c.subject == subject)
        return (await self._connection.execute(ending)).rowcount

    async def forget_before(self, before: datetime) -> int:
        """See `SessionStore`."""
        forgetting = delete(sessions).where(sessions.c.created_at < to_unix(before))
        return (await self._connection.execute(forgetting)).rowcount
