"""Answers requests of the data side: request, plan, statement, bytes.

The engine knows neither HTTP connections nor credentials: it gets a `Caller` and a parsed
`Request`, and returns an `Answer` or raises `RestError`.
"""

from dataclasses import dataclass
from typing import Final

import asyncpg

from db_api.actions import Action, Insert, Read
from db_api.answers import Answer
from db_api.callers import Caller
from db_api.catalog import Catalog, SchemaCache, Table
from db_api.execution import Database, Terms
from db_api.grammar.body import read_json_body
from db_api.grammar.request import Request
from db_api.plan import Bounds
from db_api.rest_errors import RestError, not_supported

_PUBLIC: Final = "public"
"""What clients call the schema of their key (postgrest-py sends it with every request)."""

_STALE: Final = (
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedObjectError,
    asyncpg.UndefinedFunctionError,  # an operator between a new type and the old one
    asyncpg.InvalidCachedStatementError,
)
"""What PostgreSQL says of a statement that was made for a schema that has changed since."""

_MISSES: Final = frozenset({"42703", "42704", "PGRST200", "PGRST204"})
"""What planning says of what the schema cache does not hold, perhaps yet."""


@dataclass(frozen=True, slots=True)
class CallerLimits:
    """What one kind of caller is allowed.

    Attributes:
        statement_timeout_ms: of each statement.
        max_rows: of one answer.
        aggregates: whether it may use aggregate functions.
    """

    statement_timeout_ms: int
    max_rows: int
    aggregates: bool = False

    @property
    def bounds(self) -> Bounds:
        """What a request may do."""
        return Bounds(self.max_rows, self.aggregates)


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """The limits of the data side.

    Attributes:
        anon: of `anon` keys.
        service: of everybody else.
        lock_timeout_ms: of each wait for a lock.
    """

    anon: CallerLimits
    service: CallerLimits
    lock_timeout_ms: int

    def of(self, caller: Caller) -> CallerLimits:
        """Return the limits of a caller."""
        return self.anon if caller.kind == "anon" else self.service


class Engine:
    """The data side on one database.

    Args:
        database: runs the statements.
        catalog: the schema cache of the same database.
        limits: of the callers.
    """

    def __init__(self, database: Database, catalog: Catalog, limits: EngineLimits) -> None:
        self._database = database
        self._catalog = catalog
        self._limits = limits

    async def answer(self, caller: Caller, request: Request, data: bytes) -> Answer:
        """Answer a request.

        Args:
            caller: who asks.
            request: what is asked, its body aside.
            data: its body.

        Raises:
            RestError: it cannot be answered; nothing of it was kept.
        """
        _require_profile(caller, request)
        action = self._action(caller, request, data)
        try:
            return await self._answer(caller, request.table, action)
        except asyncpg.PostgresError as error:
            raise _refusal(caller, error) from error

    def _action(self, caller: Caller, request: Request, data: bytes) -> Action:
        bounds = self._limits.of(caller).bounds
        if request.method != "POST":
            return Read(request, bounds)
        if request.preferences.resolution is not None:
            raise not_supported("Prefer: resolution")
        body = read_json_body(data, needs_keys=request.query.columns is None)
        return Insert(request, body, bounds)

    async def _answer(self, caller: Caller, table_name: str, action: Action) -> Answer:
        """Answer with the schema cache at hand, and once more with a newer one if it is old."""
        snapshot, found = await self._catalog.find(caller.schema, table_name)
        table = _require_table(caller, found, table_name)
        try:
            return await self._run(
                caller, action, snapshot, _require_table(caller, table, table_name)
            )
        except (RestError, asyncpg.PostgresError) as error:
            if not _may_be_stale(error):
                raise
            newer = await self._catalog.reload_after_miss()
            if newer is snapshot and not isinstance(error, asyncpg.InvalidCachedStatementError):
                raise
        table = _require_table(caller, newer.table(caller.schema, table_name), table_name)
        return await self._run(caller, action, newer, table)

    async def _run(
        self, caller: Caller, action: Action, snapshot: SchemaCache, table: Table
    ) -> Answer:
        work = action.plan(snapshot, table)
        terms = Terms(
            schema=caller.schema,
            is_read_only=action.is_read_only or caller.is_read_only,
            statement_timeout_ms=self._limits.of(caller).statement_timeout_ms,
            lock_timeout_ms=self._limits.lock_timeout_ms,
        )
        return await self._database.run(terms, work.run, caller)


def _require_profile(caller: Caller, request: Request) -> None:
    if request.profile not in (None, _PUBLIC, caller.schema):
        raise RestError(
            "PGRST106",
            f"Invalid schema: {request.profile}",
            hint=f"Only the following schemas are exposed: {caller.schema}",
        )


def _require_table(caller: Caller, table: Table | None, name: str) -> Table:
    if table is None:
        raise RestError(
            "PGRST205",
            f"Could not find the table '{caller.schema}.{name}' in the schema cache",
        )
    return table


def _may_be_stale(error: RestError | asyncpg.PostgresError) -> bool:
    if isinstance(error, RestError):
        return error.code in _MISSES
    return isinstance(error, _STALE)


def _refusal(caller: Caller, error: asyncpg.PostgresError) -> RestError:
    """Pass PostgreSQL's refusal on; a row that broke a constraint is not shown to anon."""
    shows_rows = caller.kind != "anon" or not isinstance(
        error, asyncpg.IntegrityConstraintViolationError
    )
    return RestError(
        error.sqlstate or "XX000",
        error.message or "PostgreSQL refused the statement",
        details=error.detail if shows_rows else None,
        hint=error.hint,
    )
