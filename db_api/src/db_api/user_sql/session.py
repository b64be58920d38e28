"""A connection for one statement: opened for it, and gone with it.

1. The driver connects and logs in; the connection is then taken over from it (`channel`).
2. A transaction begins under settings that no role, no earlier statement and no later part of the
   user's own may choose.
3. Afterwards PostgreSQL is told to end. Where it is busy, or does not listen, its backend is
   terminated by a second connection of the same login: a cancellation can be caught by a function
   of the user's, and a timeout switched off.
4. The session is over when PostgreSQL has closed its end, which it does after it has let go of all
   locks. Nothing that a statement left behind in a session can therefore meet another one, be it
   settings, locks, temporary tables, LISTEN, or the variables of a procedural language, which
   DISCARD ALL keeps.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import asyncpg
import structlog

from db_api.connections import UNREACHABLE
from db_api.errors import NotReadyError
from db_api.user_sql import wire
from db_api.user_sql.channel import Channel

_SERVER_SETTINGS: Final = {
    "application_name": "db-api sql",
    "client_connection_check_interval": "2s",  # a killed process leaves no query running
    # values look the same whatever a login's own settings say (ALTER ROLE CURRENT_USER SET …)
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
}
_END_SECONDS: Final = 1
"""How long PostgreSQL may take to end when it is told to."""

_TERMINATE: Final = "SELECT pg_catalog.pg_terminate_backend($1)"

_log = structlog.get_logger(__name__)


class _Connection(asyncpg.Connection):
    """A connection that can be taken over once it is logged in."""

    _transport: asyncio.Transport  # the driver's, which its type stubs leave out

    def take_over(self) -> Channel:
        channel = Channel(self._transport.get_protocol(), self._transport)
        self._transport.set_protocol(channel)
        return channel


@asynccontextmanager
async def opened_channel(url: str, connect_seconds: float) -> AsyncIterator[Channel]:
    """Open a connection for one statement, and see to its end.

    Args:
        url: of the login that runs it.
        connect_seconds: how long connecting may take.

    Raises:
        NotReadyError: the database cannot be reached or does not let the login in.
    """
    try:
        connection = await asyncpg.connect(
            url,
            timeout=connect_seconds,
            server_settings=_SERVER_SETTINGS,
            connection_class=_Connection,
        )
    except UNREACHABLE as error:
        raise NotReadyError(
            "The database does not answer.", hint="Try again in a few seconds."
        ) from error
    process_id = connection.get_server_pid()
    channel = connection.take_over()
    try:
        yield channel
    finally:
        await _end(channel, url, process_id)
        connection.terminate()


async def _end(channel: Channel, url: str, process_id: int) -> None:
    """Return once the backend is gone, or has had its chance."""
    if channel.is_at_rest:
        channel.send(wire.TERMINATE)
        if await _is_lost(channel):
            return
    with suppress(*UNREACHABLE):
        await _terminate(url, process_id)
    if not await _is_lost(channel):
        _log.warning("sql.backend_left", process_id=process_id)


async def _is_lost(channel: Channel) -> bool:
    try:
        async with asyncio.timeout(_END_SECONDS):
            await channel.until_lost()
    except TimeoutError:
        return False
    return True


async def _terminate(url: str, process_id: int) -> None:
    async with asyncio.timeout(_END_SECONDS):
        connection = await asyncpg.connect(url, server_settings=_SERVER_SETTINGS)
        try:
            await connection.fetchval(_TERMINATE, process_id)
        finally:
            connection.terminate()
