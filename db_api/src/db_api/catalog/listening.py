"""The one connection of a process that hears who changed the schema.

It stands outside every pool, since it is never given back. Behind a pooler that lends its
connections for a transaction only, LISTEN succeeds and nothing is ever heard: so a message is
sent from a second connection first, and where that does not arrive there is no listening.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from db_api.connections import Connection

CHANNEL: Final = "db_api"
POSTGREST_CHANNEL: Final = "pgrst"
RELOAD: Final = "reload schema"
"""PostgREST's word: triggers that its users have need no change (docs.postgrest.org, "Schema
Cache Reloading with NOTIFY")."""

_CONNECT_SECONDS: Final = 5
_ECHO_SECONDS: Final = 5
_PULSE_SECONDS: Final = 30
"""A firewall that has dropped a silent connection tells nobody."""


class DeafError(Exception):
    """Say that what is sent does not arrive."""


class Listener:
    """Hears of changes of one database's schema.

    Args:
        url: of the database, as `Connections` takes it.
        heard: called for each message that says so.
        pulse_seconds: how often a silent connection is asked whether it is alive.
    """

    def __init__(
        self, url: str, heard: Callable[[], None], pulse_seconds: float = _PULSE_SECONDS
    ) -> None:
        self._url = url
        self._heard = heard
        self._pulse_seconds = pulse_seconds
        self._echo = secrets.token_hex(8)
        self._is_heard = asyncio.Event()

    async def listen(self, begun: Callable[[], None]) -> None:
        """Listen until the connection is lost.

        Args:
            begun: called once nothing can be missed any more.

        Raises:
            DeafError: a message that was sent to it did not arrive.
            TimeoutError: the database did not answer.
            OSError: it cannot be reached, or is not any more.
            asyncpg.PostgresError: it refuses the login, or LISTEN, as a standby does.
            asyncpg.InterfaceError: the connection was lost.
        """
        async with _connected(self._url) as connection:
            await connection.add_listener(CHANNEL, self._receive)
            await connection.add_listener(POSTGREST_CHANNEL, self._receive)
            await self._require_echo()
            begun()
            await _wait_for_end(connection, self._pulse_seconds)

    def _receive(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        if payload == self._echo:
            self._is_heard.set()
        elif payload == RELOAD or (channel == POSTGREST_CHANNEL and payload == ""):
            self._heard()

    async def _require_echo(self) -> None:
        self._is_heard.clear()
        async with _connected(self._url) as other:
            await other.execute("SELECT pg_notify($1, $2)", CHANNEL, self._echo)
        try:
            async with asyncio.timeout(_ECHO_SECONDS):
                await self._is_heard.wait()
        except TimeoutError:
            raise DeafError("a notification did not arrive; is there a pooler between?") from None


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Connection]:
    """Connect, and leave without a word: a frozen server would not answer a goodbye."""
    connection = await asyncpg.connect(
        url,
        timeout=_CONNECT_SECONDS,
        command_timeout=_CONNECT_SECONDS,
        server_settings={"application_name": "db-api listener"},
    )
    try:
        yield connection
    finally:
        connection.terminate()


async def _wait_for_end(connection: Connection, pulse_seconds: float) -> None:
    ended = asyncio.Event()
    connection.add_termination_listener(lambda _: ended.set())
    while not ended.is_set():
        try:
            async with asyncio.timeout(pulse_seconds):
                await ended.wait()
        except TimeoutError:
            await connection.execute("SELECT 1")  # asyncpg stumbles over an answer to nothing
