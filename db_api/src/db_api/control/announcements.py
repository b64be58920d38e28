"""Tell every process that the schema has changed, once the change is committed."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db_api.catalog.listening import CHANNEL, RELOAD

_NOTIFY: Final = text("SELECT pg_notify(:channel, :payload)")


async def announce_schema_change(connection: AsyncConnection) -> None:
    """Send word to the processes that listen, when the transaction of the change commits."""
    await connection.execute(_NOTIFY, {"channel": CHANNEL, "payload": RELOAD})
