"""Starting a trial: the one change that a client's request makes to a license."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from license_server.audit import Change
from license_server.repository.rows import to_instant, to_unix
from license_server.repository.tables import licenses
from license_server.repository.trail import SqlAudit


async def start_trial(
    engine: AsyncEngine, license_id: str, ends_at: datetime, change: Change, now: datetime
) -> datetime:
    """Set the end of a trial unless it has one, and return the end that holds."""
    async with engine.begin() as connection:
        lock = select(licenses.c.expires_at).where(licenses.c.id == license_id).with_for_update()
        kept: int | None = (await connection.execute(lock)).scalar_one()
        if kept is not None:
            return to_instant(kept)
        ends = to_unix(ends_at)
        await connection.execute(
            update(licenses)
            .where(licenses.c.id == license_id)
            .values(expires_at=ends, version=licenses.c.version + 1)
        )
        await SqlAudit(connection).append([change], now)
        return to_instant(ends)
