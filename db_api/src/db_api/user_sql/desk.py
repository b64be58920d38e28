"""Who may have which statement run, as which login, within which limits.

An administrator's statements run as DATABASE_URL's login. A key's run as the login that its schema
has for its kind; where there is none, nothing but the text of a statement would keep it within the
schema, and no text does.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from db_api.callers import Caller
from db_api.control.audit import Actor, record
from db_api.control.database import transaction
from db_api.errors import AccessDeniedError, InvalidRequestError, SchemaNotProvisionedError
from db_api.identifiers import SqlName
from db_api.logins import Logins
from db_api.user_sql.pages import JsonPage, PageLimits
from db_api.user_sql.parameters import Parameter
from db_api.user_sql.refusals import StatementRefusedError
from db_api.user_sql.runner import Outcome, Terms, run_statement
from db_api.user_sql.slots import Slots

_ADMIN: Final = "admin"


@dataclass(frozen=True, slots=True)
class SqlLimits:
    """What one kind of caller is allowed.

    Attributes:
        timeout_ms: of a statement that asks for none.
        max_timeout_ms: that a statement may ask for.
        max_rows: of a result.
    """

    timeout_ms: int
    max_timeout_ms: int
    max_rows: int


@dataclass(frozen=True, slots=True)
class DeskLimits:
    """What all callers are allowed.

    Attributes:
        anon: what `anon` keys are.
        others: what everybody else is.
        max_bytes: of a result.
        lock_timeout_ms: of each wait for a lock.
        names_requests: PostgreSQL's log shows the ids of requests.
        extra_schemas: where names are looked up that a caller's schema does not have.
    """

    anon: SqlLimits
    others: SqlLimits
    max_bytes: int
    lock_timeout_ms: int
    names_requests: bool = False
    extra_schemas: tuple[SqlName, ...] = ()


@dataclass(frozen=True, slots=True)
class SqlRequest:
    """A statement, and what is asked for it.

    Attributes:
        sql: the user's text.
        parameters: for $1, $2, …
        writes: it is to be committed.
        max_rows: at most, None for as many as the caller may have.
        timeout_ms: None for the caller's usual one.
    """

    sql: str
    parameters: Sequence[Parameter]
    writes: bool
    max_rows: int | None
    timeout_ms: int | None


class Desk:
    """Has statements run.

    Args:
        database_url: of the administrator's statements.
        logins: of the keys' statements.
        slots: how many run at once.
        control: the service's own tables, where writes are recorded.
        limits: of the callers.
    """

    def __init__(
        self,
        database_url: str,
        logins: Logins,
        slots: Slots,
        control: AsyncEngine,
        limits: DeskLimits,
    ) -> None:
        self._database_url = database_url
        self._logins = logins
        self._slots = slots
        self._control = control
        self._limits = limits

    async def run(self, caller: Caller, actor: Actor, request: SqlRequest) -> Outcome:
        """Run a statement and write its rows as JSON.

        A write is recorded before it begins, whether or not it will succeed: nothing that the
        statement does can then keep it from being recorded.

        Raises:
            AccessDeniedError: the caller may not write, or its schema has no login.
            InvalidRequestError: it asks for more than it may have.
            DataApiError: as `run_statement`.
            StatementRefusedError: as `run_statement`.
        """
        _require_may_write(caller, request)
        terms = self._terms(caller, actor, request)
        url = await self._url_of(caller)
        async with self._slots.taken(url):
            if request.writes:
                await self._record(caller, actor, request.sql)
            try:
                return await run_statement(url, terms, request.sql, request.parameters, JsonPage)
            except StatementRefusedError as error:
                if caller.kind != "anon":
                    raise
                raise error.without_rows() from None

    def _terms(self, caller: Caller, actor: Actor, request: SqlRequest) -> Terms:
        limits = self._limits.anon if caller.kind == "anon" else self._limits.others
        max_rows = _within("maxRows", request.max_rows, limits.max_rows, limits.max_rows)
        return Terms(
            schema=caller.schema,
            writes=request.writes,
            limits=PageLimits(max_rows, self._limits.max_bytes),
            statement_timeout_ms=_within(
                "timeoutMs", request.timeout_ms, limits.timeout_ms, limits.max_timeout_ms
            ),
            lock_timeout_ms=self._limits.lock_timeout_ms,
            extra_schemas=self._limits.extra_schemas,
            request_id=actor.request_id if self._limits.names_requests else None,
        )

    async def _url_of(self, caller: Caller) -> str:
        if caller.kind == _ADMIN:
            return self._database_url
        login = await self._logins.find(caller.schema, caller.kind)
        if login is None:
            raise SchemaNotProvisionedError(
                f"Schema {caller.schema!r} has no login of its own, which SQL of its keys needs.",
                hint=f"Whoever runs the service makes it by `db-api provision {caller.schema}`; "
                "until then /rest/v1 serves this key.",
            )
        return login.url

    async def _record(self, caller: Caller, actor: Actor, sql: str) -> None:
        details = {"sha256": hashlib.sha256(sql.encode()).hexdigest(), "kind": caller.kind}
        async with transaction(self._control) as connection:
            await record(connection, actor, "sql.write", f"schema:{caller.schema}", details)


def _require_may_write(caller: Caller, request: SqlRequest) -> None:
    if request.writes and caller.is_read_only:
        raise AccessDeniedError(
            "An anon key runs no statement in mode `write`.",
            hint="Use a service_role key, or mode `read`.",
        )


def _within(name: str, wanted: int | None, default: int, most: int) -> int:
    if wanted is not None and wanted > most:
        raise InvalidRequestError(f"{name} is {wanted}; this caller may ask for {most} at most.")
    return default if wanted is None else wanted
