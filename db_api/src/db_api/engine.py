"""Answers requests of the data side: request, plan, statement, bytes.

The engine knows neither HTTP connections nor credentials: it gets a `Caller` and a parsed
`Request`, and returns an `Answer` or raises `RestError`.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import asyncpg

from db_api.actions import (
    Action,
    Batch,
    Call,
    Delete,
    Inlet,
    Insert,
    Load,
    Operation,
    Outlet,
    Put,
    Read,
    Stream,
    Update,
    Work,
    find_table,
    noting,
)
from db_api.answers import Answer
from db_api.callers import Caller
from db_api.catalog import Catalog, Function, SchemaCache, Table
from db_api.connections import Connection
from db_api.execution import LATENESS_SECONDS, Database, Terms
from db_api.grammar.arguments import read_arguments
from db_api.grammar.body import JsonBody, read_body
from db_api.grammar.request import Request
from db_api.identifiers import SqlName
from db_api.page_tokens import PageTokens
from db_api.policies import CAUTIOUS, EngineLimits, WritePolicy
from db_api.request_settings import write_settings
from db_api.rest_errors import RestError

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

_ANON_READS: Final = "An anon key only reads; a service_role key writes."
_GET_READS: Final = "GET and HEAD only read; POST calls a function that writes."

_MISSES: Final = frozenset({"42703", "42704", "PGRST200", "PGRST202", "PGRST204", "PGRST205"})
"""What planning says of a name that the schema cache does not hold, perhaps yet."""


class Engine:
    """The data side on one database.

    Args:
        database: runs the statements.
        catalog: the schema cache of the same database.
        limits: of the callers.
        policy: of writes.
        tokens: of pages; None = new ones, which end with this process.
        extra_schemas: where names are looked up that a caller's schema does not have.
    """

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        limits: EngineLimits,
        policy: WritePolicy = CAUTIOUS,
        tokens: PageTokens | None = None,
        extra_schemas: tuple[SqlName, ...] = (),
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._limits = limits
        self._policy = policy
        self._tokens = tokens or PageTokens(None)
        self._extra_schemas = extra_schemas

    def max_stream_bytes(self, caller: Caller) -> int | None:
        """Return how long an answer of lines of text may be; None for any length."""
        return self._limits.of(caller).max_stream_bytes

    async def answer(
        self, caller: Caller, request: Request, data: bytes, outlet: Outlet | None = None
    ) -> Answer:
        """Answer a request.

        Args:
            caller: who asks.
            request: what is asked, its body aside.
            data: its body.
            outlet: takes a long answer as it is read, if the request is for lines of text.

        Raises:
            RestError: it cannot be answered; nothing of it was kept.
        """
        _require_profile(caller, request)
        request = self._policy.adapt(request)
        if outlet is not None and request.is_stream:
            action: Action = self._stream(caller, request, outlet)
        else:
            action = self._action(caller, request, data)
        try:
            return await self._answer(caller, request, action)
        except asyncpg.PostgresError as error:
            raise _refusal(caller, error) from error

    async def load(self, caller: Caller, request: Request, inlet: Inlet) -> Answer:
        """Insert rows as they come, all of them or none.

        Args:
            caller: who asks.
            request: with a `line_form`.
            inlet: has the rows.

        Raises:
            RestError: it cannot be answered; nothing of it was kept.
        """
        _require_profile(caller, request)
        request = self._policy.adapt(request)
        first = await inlet.next() or JsonBody(b"[]", is_object=False, keys=())
        limits = self._limits.of(caller)
        seconds = limits.statement_timeout_ms / 1000 + LATENESS_SECONDS
        load = Load(request, first, inlet, limits.bounds, seconds)
        with _noted_refusals(caller):
            return await self._answer(caller, request, load)

    async def batch(self, caller: Caller, operations: Sequence[tuple[Request, bytes]]) -> Answer:
        """Answer several requests in one transaction, all of them or none.

        Args:
            caller: who asks.
            operations: the requests and their bodies.

        Raises:
            RestError: one of them cannot be answered; nothing of any was kept.
        """
        with _noted_refusals(caller):
            batch = Batch(
                [
                    self._operation(place, caller, request, data)
                    for place, (request, data) in enumerate(operations)
                ]
            )
            return await self._answer(caller, None, batch)

    def _operation(self, place: int, caller: Caller, request: Request, data: bytes) -> Operation:
        with noting(place):
            _require_profile(caller, request)
            request = self._policy.adapt(request)
            return Operation(self._action(caller, request, data), write_settings(request))

    async def methods(self, caller: Caller, name: str, *, is_call: bool) -> Answer:
        """Answer OPTIONS: which methods a table or function has, whoever may use them.

        Raises:
            RestError: there is none of that name.
        """
        snapshot, table = await self._catalog.find(caller.schema, name)
        if is_call:
            methods = _methods_of_functions(snapshot.overloads(caller.schema, name), name)
        else:
            methods = _methods_of(table or find_table(snapshot, caller.schema, name))
        return Answer(200, (("Allow", ",".join(("OPTIONS", *methods))),), b"")

    def _stream(self, caller: Caller, request: Request, outlet: Outlet) -> Stream:
        limits = self._limits.of(caller)
        return Stream(
            request, limits.bounds, self._tokens, outlet, limits.statement_timeout_ms / 1000
        )

    def _action(self, caller: Caller, request: Request, data: bytes) -> Action:
        bounds = self._limits.of(caller).bounds
        if request.is_call:
            return Call(request, read_arguments(request, data), bounds)
        if request.method in {"GET", "HEAD"}:
            return Read(request, bounds, self._tokens)
        if request.method == "DELETE":
            return Delete(request, bounds)
        body = read_body(data, request.body_form, needs_keys=request.query.columns is None)
        if request.method == "PATCH":
            return Update(request, body, bounds)
        return (
            Put(request, body, bounds) if request.method == "PUT" else Insert(request, body, bounds)
        )

    async def _answer(self, caller: Caller, request: Request | None, action: Action) -> Answer:
        """Answer with the schema cache at hand, and once more with a newer one if it is old.

        Once its work has finished, an action is not tried again: it may have been committed.
        """
        snapshot = await self._catalog.snapshot()
        attempt = _Attempt()
        try:
            return await self._run(caller, request, action, snapshot, attempt)
        except (RestError, asyncpg.PostgresError) as error:
            if attempt.has_finished or _is_spent(action) or not _may_be_stale(error):
                raise
            newer = await self._catalog.reload_after_miss()
            if newer is snapshot and not isinstance(error, asyncpg.InvalidCachedStatementError):
                raise
        return await self._run(caller, request, action, newer, _Attempt())

    async def _run(
        self,
        caller: Caller,
        request: Request | None,
        action: Action,
        snapshot: SchemaCache,
        attempt: "_Attempt",
    ) -> Answer:
        work = action.plan(snapshot, caller.schema)
        timeout_ms = self._limits.of(caller).statement_timeout_ms
        end = (request and request.preferences.end) or self._policy.end
        terms = Terms(
            schema=caller.schema,
            extra_schemas=self._extra_schemas,
            is_read_only=work.is_read_only or caller.is_read_only,
            is_kept=end == "commit",
            statement_timeout_ms=0 if isinstance(action, Stream) else timeout_ms,
            lock_timeout_ms=self._limits.lock_timeout_ms,
            is_watched=isinstance(action, (Stream, Load)),
        )
        settings = write_settings(request) if request else ""
        return await self._database.run(terms, attempt.of(work), caller, settings)


class _Attempt:
    """One try of an action, which remembers how far it came."""

    def __init__(self) -> None:
        self.has_finished = False

    def of(self, work: Work) -> Callable[[Connection], Awaitable[Answer]]:
        async def run(connection: Connection) -> Answer:
            answer = await work.run(connection)
            self.has_finished = True
            return answer

        return run


def _methods_of(table: Table) -> tuple[str, ...]:
    if table.kind == "materialized_view":
        return ("GET", "HEAD")
    put = ("PUT",) if table.primary_key else ()
    return ("GET", "HEAD", "POST", *put, "PATCH", "DELETE")


def _methods_of_functions(functions: Sequence[Function], name: str) -> tuple[str, ...]:
    if not functions:
        raise RestError("PGRST202", f"Could not find the function {name} in the schema cache")
    reads = ("GET", "HEAD") if any(not one.is_volatile for one in functions) else ()
    return (*reads, "POST")


def _require_profile(caller: Caller, request: Request) -> None:
    if request.profile not in (None, _PUBLIC, caller.schema):
        raise RestError(
            "PGRST106",
            f"Invalid schema: {request.profile}",
            hint=f"Only the following schemas are exposed: {caller.schema}",
        )


def _is_spent(action: Action) -> bool:
    return isinstance(action, Load) and action.has_read_on


def _may_be_stale(error: RestError | asyncpg.PostgresError) -> bool:
    if isinstance(error, RestError):
        return error.code in _MISSES
    return isinstance(error, _STALE)


@contextmanager
def _noted_refusals(caller: Caller) -> Iterator[None]:
    """Refuse with the place that the error's note names."""
    try:
        yield
    except asyncpg.PostgresError as error:
        refusal = _refusal(caller, error)
        for note in getattr(error, "__notes__", []):
            refusal.add_note(note)
        raise refusal.at_its_note() from error
    except RestError as error:
        raise error.at_its_note() from error


def _refusal(caller: Caller, error: asyncpg.PostgresError) -> RestError:
    """Pass PostgreSQL's refusal on; a row that broke a constraint is not shown to anon."""
    hint = error.hint
    if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
        hint = _ANON_READS if caller.kind == "anon" else _GET_READS
    shows_rows = caller.kind != "anon" or not isinstance(
        error, asyncpg.IntegrityConstraintViolationError
    )
    return RestError(
        error.sqlstate or "XX000",
        error.message or "PostgreSQL refused the statement",
        details=error.detail if shows_rows else None,
        hint=hint,
    )
