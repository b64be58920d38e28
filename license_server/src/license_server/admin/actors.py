"""The names of those who did what the audit log tells of."""

from collections.abc import Mapping, Sequence

from license_server.audit import Entry
from license_server.desk import Desk


async def actor_names(desk: Desk, entries: Sequence[Entry]) -> Mapping[str, str]:
    """Return the names of the operators and tokens among the actors, by their ids."""
    actors = sorted({entry.change.actor for entry in entries})
    transaction = desk.transaction
    return {**await transaction.tokens.names(actors), **await transaction.operators.names(actors)}
