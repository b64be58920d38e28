"""Transactions on the customer's database: begun with their own settings, ended in time.

1. A connection is waited for, but not long.
2. One round trip begins the transaction and sets what must not come from a role's or an earlier
   statement's settings: timeouts, search_path, time zone, and READ ONLY for those who only read.
3. The statements of the request run.
4. It is committed, or rolled back after a read, after any error and where nothing is kept; the
   same round trip resets what a function of the customer's may have set for the session.
5. All of 2-4 has one deadline on this side too, because a backend that is frozen or cut off
   obeys no timeout of its own. Past it, or after any doubt, the connection is thrown away.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeVar

import asyncpg
import structlog

from db_api.callers import Caller
from db_api.catalog import SchemaCache, read_fingerprint, read_schema_cache
from db_api.connections import UNREACHABLE, Connection, Connections
from db_api.errors import LoginRefusedError
from db_api.identifiers import SqlName, quote, quote_literal
from db_api.logins import Login, Logins
from db_api.logs import REQUEST_ID
from db_api.rest_errors import RestError

Result = TypeVar("Result")

_log = structlog.get_logger(__name__)

_IDLE_IN_TRANSACTION_MS: Final = 10_000
LATENESS_SECONDS: Final = 2
"""How much longer than a statement's own timeout is waited for it: a frozen backend obeys none."""

_LOST: Final = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # it was cut off within an error
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidSQLStatementNameError,  # a function of the customer's ran DEALLOCATE
)
"""What says that a connection is of no more use."""

_RESET: Final = "SET SESSION AUTHORIZATION DEFAULT;DISCARD TEMP;"
"""What asyncpg's reset leaves: the role that a function took, and its temporary tables."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a transaction is allowed.

    Attributes:
        schema: where unqualified names are looked up.
        extra_schemas: and then there, such as where extensions have their operators.
        is_read_only: it can write nothing and is rolled back.
        is_kept: what it writes is committed, else it is checked and rolled back.
        statement_timeout_ms: of each statement; 0 for any time.
        lock_timeout_ms: of each wait for a lock.
        is_watched: the work has deadlines of its own, one for all of it would be none.
    """

    schema: str
    is_read_only: bool
    statement_timeout_ms: int
    lock_timeout_ms: int
    extra_schemas: tuple[SqlName, ...] = ()
    is_kept: bool = True
    is_watched: bool = False

    @property
    def deadline_seconds(self) -> float | None:
        """How long the whole transaction may take; None for as long as it likes."""
        if self.is_watched:
            return None
        return self.statement_timeout_ms / 1000 + LATENESS_SECONDS


_INTROSPECTION: Final = Terms(
    schema="pg_catalog", is_read_only=True, statement_timeout_ms=10_000, lock_timeout_ms=2_000
)


@lru_cache(maxsize=1024)
def begin_statement(terms: Terms) -> str:
    """Write what begins a transaction, to be sent as one simple query."""
    mode = "READ ONLY" if terms.is_read_only else "READ WRITE"
    return (
        f"BEGIN {mode};"
        f"SET LOCAL statement_timeout = {terms.statement_timeout_ms:d};"
        f"SET LOCAL lock_timeout = {terms.lock_timeout_ms:d};"
        f"SET LOCAL idle_in_transaction_session_timeout = {_IDLE_IN_TRANSACTION_MS:d};"
        f"SET LOCAL search_path = {', '.join((quote(terms.schema), *terms.extra_schemas))};"
        "SET LOCAL TimeZone = 'UTC'"
    )


def name_request(request_id: str) -> str:
    """Write what shows a request's id in pg_stat_activity and in PostgreSQL's log (`%a`).

    A comment in each statement would show as much, and cost each its prepared plan.
    """
    return f"SET LOCAL application_name = {quote_literal(f'db-api {request_id}'.strip())}"


class Database:
    """Runs work in transactions.

    Args:
        connections: closed by whoever made them.
        wait_seconds: how long a request may wait for one of them.
        logins: of the schemas; None = every caller's work runs as the connections' own login.
        names_requests: a transaction's `application_name` has the id of its request.
    """

    def __init__(
        self,
        connections: Connections,
        wait_seconds: float,
        logins: Logins | None = None,
        *,
        names_requests: bool = False,
    ) -> None:
        self._connections = connections
        self._wait_seconds = wait_seconds
        self._logins = logins
        self._names_requests = names_requests

    async def run(
        self,
        terms: Terms,
        work: Callable[[Connection], Awaitable[Result]],
        caller: Caller | None = None,
        settings: str = "",
    ) -> Result:
        """Run work in one transaction, committed if it may write and is to be kept.

        Args:
            terms: what it is allowed.
            work: gets the connection.
            caller: for whom; None = the service itself.
            settings: a statement that sets more for the transaction.

        Raises:
            DataApiError: the caller's login cannot be found out, opened or used.
            RestError: no connection was free or made in time (503), the database went away
                (503), or the deadline passed (504).
            asyncpg.PostgresError: PostgreSQL refused a statement; all is rolled back.
        """
        connection = await self._acquire(caller)
        if self._names_requests:
            settings = f"{name_request(REQUEST_ID.get(''))};{settings}"
        is_settled = False
        try:
            async with asyncio.timeout(terms.deadline_seconds):
                result = await _transact(connection, terms, work, settings)
            is_settled = True
        except TimeoutError:
            raise _too_late() from None
        except _LOST as error:
            raise _unavailable() from error
        except (asyncpg.PostgresError, RestError):
            is_settled = connection.is_closed() or not connection.is_in_transaction()
            raise
        finally:
            if not is_settled:
                connection.terminate()
            self._connections.give_back(connection)
        return result

    async def read_schema_cache(self) -> SchemaCache:
        """Read the schema cache.

        Raises:
            RestError: the database cannot be reached, or does not answer in time.
        """
        return await self._introspect(read_schema_cache)

    async def read_fingerprint(self) -> str:
        """Read what differs whenever the schema cache may differ; raises as the above."""
        return await self._introspect(read_fingerprint)

    async def _introspect(self, read: Callable[[Connection], Awaitable[Result]]) -> Result:
        try:
            return await self.run(_INTROSPECTION, read)
        except asyncpg.PostgresError as error:
            raise _unavailable() from error

    async def _acquire(self, caller: Caller | None) -> Connection:
        login = await self._login_of(caller)
        url = login.url if login else None
        holder = caller.key_prefix if caller else None
        try:
            return await self._connections.take(self._wait_seconds, url, holder or None)
        except TimeoutError:
            raise RestError(
                "PGRST003",
                "Timed out acquiring connection from connection pool.",
                hint="Try again in a moment.",
            ) from None
        except asyncpg.InvalidAuthorizationSpecificationError as error:
            raise _login_refused(login) from error
        except UNREACHABLE as error:
            raise _unavailable() from error

    async def _login_of(self, caller: Caller | None) -> Login | None:
        if caller is None or self._logins is None:
            return None
        return await self._logins.find(caller.schema, caller.kind)


async def _transact(
    connection: Connection,
    terms: Terms,
    work: Callable[[Connection], Awaitable[Result]],
    settings: str,
) -> Result:
    await connection.execute(f"{begin_statement(terms)};{settings}")
    try:
        result = await work(connection)
        if not terms.is_read_only and not terms.is_kept:
            await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        await _end(connection, _ending(terms))
    except (asyncpg.PostgresError, RestError):
        if not connection.is_closed():  # also after a refused COMMIT, which resets nothing
            await _end(connection, "ROLLBACK")
        raise
    return result


def _ending(terms: Terms) -> str:
    return "ROLLBACK" if terms.is_read_only or not terms.is_kept else "COMMIT"


async def _end(connection: Connection, how: str) -> None:
    await connection.execute(f"{how};{_RESET}{connection.get_reset_query()}")


def _too_late() -> RestError:
    return RestError(
        "DBAPI402",
        "The database did not answer in time",
        hint="Ask for less at once, or try again.",
    )


def _login_refused(login: Login | None) -> RestError | LoginRefusedError:
    """Name the role for the operator, whose log it is; the client learns less."""
    _log.error("login.refused", role=login.role if login else "of DATABASE_URL")
    if login is None:
        return _unavailable()
    return LoginRefusedError(
        "PostgreSQL refuses the login of this schema's keys.",
        hint="The operator mends it with `db-api provision SCHEMA --repair`.",
    )


def _unavailable() -> RestError:
    return RestError(
        "PGRST001",
        "Database client error. Retrying the connection.",
        hint="Try again in a moment.",
    )
