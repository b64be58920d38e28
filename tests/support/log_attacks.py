"""Writing into the audit log as a superuser does, whom no trigger stops, and beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from license_server.repository.database import Database


@asynccontextmanager
async def unguarded(database: Database) -> AsyncIterator[AsyncConnection]:
    """Yield a connection in a transaction without triggers."""
    async with database.engine().begin() as connection:
        if database.url is not None:
            await connection.execute(text("SET session_replication_role = replica"))
        else:
            query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            for (name,) in (await connection.execute(text(query))).all():
                await connection.execute(text(f"DROP TRIGGER {name}"))
        yield connection


def spoil_signature(checkpoints: Path) -> None:
    """Make the last checkpoint of a file one that no key has signed."""
    signed, _, _ = checkpoints.read_text("ascii").rpartition(".")
    checkpoints.write_text(f"{signed}.{'A' * 86}\n", "ascii")
