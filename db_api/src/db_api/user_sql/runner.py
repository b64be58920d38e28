"""Runs one statement of a user's, in one of the two forms that contain it.

Reading: `DECLARE … CURSOR FOR` before the user's text lets only a query through, and its rows are
fetched by a statement of ours. In a READ ONLY transaction in which a query has run, neither SET nor
set_config() can ask for READ WRITE any more; in the end it is always rolled back.

Writing: the text is one prepared statement, so that `;` begins no second one, and COMMIT follows.

The user's text is sent to be prepared and in no other way: PostgreSQL's simple protocol, which COPY
of a query and a driver's execute without arguments speak, runs as many statements as it is given.
"""

import asyncio
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from db_api.errors import ResultTooLargeError, SqlTimeoutError
from db_api.execution import name_request
from db_api.identifiers import SqlName, quote
from db_api.user_sql import wire
from db_api.user_sql.channel import Channel
from db_api.user_sql.pages import Column, Page, PageLimits, distinct_names
from db_api.user_sql.parameters import Parameter, parameter_texts
from db_api.user_sql.refusals import StatementRefusedError
from db_api.user_sql.session import opened_channel
from db_api.user_sql.words import require_useful

_CONNECT_SECONDS: Final = 5
_DEADLINE_MARGIN_SECONDS: Final = 2
"""How much longer than the statement's own timeout everything may take."""

_IDLE_IN_TRANSACTION_MS: Final = 10_000
_STATEMENT, _FETCH = "statement", "fetch"
"""The names of the prepared statements of a session: the user's, and ours that gets its rows."""

_SYNTAX_ERROR: Final = "42601"
_NOT_A_QUERY: Final = (
    "Mode `read` runs a SELECT, VALUES, TABLE or WITH; mode `write` runs the rest."
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a statement is allowed.

    Attributes:
        schema: where unqualified names are looked up.
        writes: it may write, and is committed.
        limits: of its result.
        statement_timeout_ms: of the statement.
        lock_timeout_ms: of each wait for a lock.
        extra_schemas: where names are looked up that `schema` does not have.
        request_id: for PostgreSQL's log; None = it is not shown there.
    """

    schema: str
    writes: bool
    limits: PageLimits
    statement_timeout_ms: int
    lock_timeout_ms: int
    extra_schemas: tuple[SqlName, ...] = ()
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a statement did.

    Attributes:
        columns: of its result, none where it has none.
        rows: of its result, as the page wrote them.
        row_count: the rows at hand, or those that were written.
        is_truncated: the limits left rows out.
        duration_seconds: from its beginning to its end.
    """

    columns: tuple[Column, ...]
    rows: Sequence[bytes]
    row_count: int
    is_truncated: bool
    duration_seconds: float


async def run_statement(
    url: str,
    terms: Terms,
    sql: str,
    parameters: Sequence[Parameter],
    make_page: type[Page],
) -> Outcome:
    """Run a statement on a connection of its own, which is gone when this returns.

    Args:
        url: of the login that runs it.
        terms: what it is allowed.
        sql: the user's text, which holds no NUL.
        parameters: for $1, $2, …
        make_page: the kind of page that writes the rows.

    Raises:
        StatementRefusedError: PostgreSQL refused it; nothing of it was kept.
        StatementUnsupportedError: it is a COPY, or made its own answer unreadable.
        ParameterMismatchError: it has another number of parameters.
        InvalidRequestError: a parameter cannot be one.
        ResultTooLargeError: not even the first row fits.
        SqlTimeoutError: neither it nor its timeout ended it in time.
        NotReadyError: the database cannot be reached, or went away.
    """
    if terms.writes:
        require_useful(sql)
    page = make_page(terms.limits, needs_end=terms.writes)
    run = _write if terms.writes else _read
    async with opened_channel(url, _CONNECT_SECONDS) as channel:
        started_at = perf_counter()
        try:
            async with asyncio.timeout(_deadline_seconds(terms)):
                columns, row_count = await run(channel, terms, sql, parameters, page)
        except TimeoutError:
            raise SqlTimeoutError(
                "The database did not end the statement in time.",
                hint="Ask for less at once, or for more time with timeoutMs.",
            ) from None
        duration_seconds = perf_counter() - started_at
    return Outcome(columns, page.rows, row_count, page.is_truncated, duration_seconds)


def _deadline_seconds(terms: Terms) -> float:
    return terms.statement_timeout_ms / 1000 + _DEADLINE_MARGIN_SECONDS


async def _read(
    channel: Channel, terms: Terms, sql: str, parameters: Sequence[Parameter], page: Page
) -> tuple[tuple[Column, ...], int]:
    cursor = f"db_api_{secrets.token_hex(8)}"
    prefix = f"DECLARE {cursor} NO SCROLL CURSOR FOR "
    fetch = f"FETCH FORWARD {terms.limits.max_rows + 1:d} FROM {cursor}"
    await channel.ask(wire.query(_begin(terms)))
    try:
        prepared = await channel.ask(wire.prepare(_STATEMENT, prefix + sql) + wire.SYNC)
        values = parameter_texts(parameters, prepared.parameter_types)
        opened = await channel.ask(
            wire.execute(_STATEMENT, values) + wire.prepare(_FETCH, fetch) + wire.SYNC
        )
    except StatementRefusedError as error:
        raise _in_users_text(error, prefix, sql) from None
    columns = await _columns(channel, opened.columns)
    page.begin(columns)
    await channel.ask(wire.execute(_FETCH, ()) + wire.SYNC, page)
    if page.first_is_too_large:
        raise _too_large(terms)
    return columns, len(page.rows)


async def _write(
    channel: Channel, terms: Terms, sql: str, parameters: Sequence[Parameter], page: Page
) -> tuple[tuple[Column, ...], int]:
    await channel.ask(wire.query(_begin(terms)))
    prepared = await channel.ask(wire.prepare(_STATEMENT, sql) + wire.SYNC)
    values = parameter_texts(parameters, prepared.parameter_types)
    columns = await _columns(channel, prepared.columns)
    page.begin(columns)
    done = await channel.ask(wire.execute(_STATEMENT, values) + wire.SYNC, page)
    if not done.tag:
        raise _empty()
    await channel.ask(wire.query("COMMIT"))
    return columns, _count(done.tag, page)


def _begin(terms: Terms) -> str:
    """Write what begins the transaction; READ ONLY holds for good once its SELECT has run."""
    mode = "READ WRITE" if terms.writes else "READ ONLY"
    name = "" if terms.request_id is None else f"{name_request(terms.request_id)};"
    return (
        f"BEGIN ISOLATION LEVEL READ COMMITTED {mode};"
        f"SET LOCAL statement_timeout = {terms.statement_timeout_ms:d};"
        f"SET LOCAL lock_timeout = {terms.lock_timeout_ms:d};"
        f"SET LOCAL idle_in_transaction_session_timeout = {_IDLE_IN_TRANSACTION_MS:d};"
        "SET LOCAL cursor_tuple_fraction = 1;"
        f"SET LOCAL search_path = {', '.join((quote(terms.schema), *terms.extra_schemas))};"
        "SET LOCAL TimeZone = 'UTC';"
        f"{name}"
        "SELECT 1"
    )


async def _columns(channel: Channel, described: Sequence[wire.WireColumn]) -> tuple[Column, ...]:
    if not described:
        return ()
    names = distinct_names(column.name for column in described)
    page = Page(PageLimits(max_rows=1, max_bytes=1024 * 1024), needs_end=True)
    types = ",".join(
        f"pg_catalog.format_type({column.type_oid:d}, {column.type_modifier:d})"
        for column in described
    )
    await channel.ask(wire.query(f"SELECT {types}"), page)
    (row,) = page.rows
    return tuple(
        Column(name, type_name, column.type_oid)
        for name, type_name, column in zip(names, json.loads(row), described, strict=True)
    )


def _in_users_text(error: StatementRefusedError, prefix: str, sql: str) -> StatementRefusedError:
    """Return an error of the whole statement as one of the text that the user sent."""
    if error.position is None:
        return error
    position = max(error.position - len(prefix), 1)
    is_first_word = position == len(sql) - len(sql.lstrip()) + 1
    hint = _NOT_A_QUERY if error.code == _SYNTAX_ERROR and is_first_word else error.hint
    return error.replaced(details=error.details, hint=hint, position=position)


def _count(tag: str, page: Page) -> int:
    """Return how many rows were written, as the last word of `INSERT 0 5` says, or returned."""
    last = tag.rpartition(" ")[2]
    return int(last) if last.isdecimal() else len(page.rows)


def _empty() -> StatementRefusedError:
    return StatementRefusedError(_SYNTAX_ERROR, "The statement is empty.", position=1)


def _too_large(terms: Terms) -> ResultTooLargeError:
    return ResultTooLargeError(
        f"The first row has more than {terms.limits.max_bytes} bytes.",
        hint="Select less of it, such as `left(column, 1000)`.",
    )
