"""One row for every change of a key or a schema, in the change's own transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db_api.control.database import transaction
from db_api.control.tables import AUDIT


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something, and when.

    Attributes:
        name: `admin:NAME` for HTTP Basic, `key:PREFIX` for an API key, `cli` for the command.
        request_id: of the request that asked for it; empty for the command.
    """

    name: str
    request_id: str
    now: datetime


async def record(
    connection: AsyncConnection,
    actor: Actor,
    action: str,
    subject: str,
    details: Mapping[str, str | None],
) -> None:
    """Append one row.

    Args:
        connection: in the transaction of the change itself.
        actor: who did it, and when.
        action: as `key.created`.
        subject: what was changed, as `key:ID` or `schema:NAME`.
        details: what a reader needs besides; never a secret.
    """
    await connection.execute(
        AUDIT.insert().values(
            at=actor.now,
            actor=actor.name,
            action=action,
            subject=subject,
            details=dict(details),
            request_id=actor.request_id,
        )
    )


async def record_alone(engine: AsyncEngine, actor: Actor, action: str, subject: str) -> None:
    """Append one row in a transaction of its own, before a change that another login makes.

    Raises:
        NotReadyError: the database does not answer.
    """
    async with transaction(engine) as connection:
        await record(connection, actor, action, subject, {})
