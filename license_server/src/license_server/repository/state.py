"""The server's own state in its tables."""

from datetime import datetime

from sqlalchemy import delete, select, update

from license_server.repository.rows import Values, to_instant, to_unix
from license_server.repository.store import Store
from license_server.repository.tables import rate_counters, schedules, server_state


class SqlState(Store):
    """The `StateStore`; its methods are described there."""

    async def replace_newest_time(self, now: datetime) -> datetime:
        """See `StateStore`."""
        newest = await self._rows(select(server_state.c.newest_at).with_for_update())
        await self._connection.execute(update(server_state).values(newest_at=to_unix(now)))
        return to_instant(newest[0]["newest_at"])

    async def claim_schedule(self, name: str, now: datetime, next_at: datetime) -> bool:
        """See `StateStore`; of several that ask at once one gets it."""
        values: Values = {"name": name, "due_at": to_unix(next_at)}
        if await self._add_unless_there(schedules, values):
            return True
        taken = await self._connection.execute(
            update(schedules)
            .where(schedules.c.name == name, schedules.c.due_at <= to_unix(now))
            .values(due_at=to_unix(next_at))
        )
        return taken.rowcount > 0

    async def forget_counters(self, before: datetime) -> int:
        """See `StateStore`."""
        forgotten = await self._connection.execute(
            delete(rate_counters).where(rate_counters.c.ends_at < to_unix(before))
        )
        return forgotten.rowcount
