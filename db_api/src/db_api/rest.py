"""The routes of the data side: tables and functions, in PostgREST's grammar."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from db_api.answers import MOUNT, Answer
from db_api.callers import Caller
from db_api.engine import Engine
from db_api.grammar.lines import LineReader
from db_api.grammar.media import LineForm
from db_api.grammar.request import Request, read_request
from db_api.rest_errors import RestError
from db_api.transfer import (
    LongAnswer,
    LongBody,
    read_body,
    refusal_of,
    send_answer,
    while_connected,
)

PREFIX: Final = MOUNT
_QUERY_IN_BODY: Final = b"_method=query"
_BATCH_BYTES: Final = 64 * 1024
"""Of rows that are inserted at once: enough to make little of a statement's own cost."""

_LINE_TYPES: Final = (b"text/csv", b"application/x-ndjson")
Authenticate = Callable[[Scope], Awaitable[Caller]]
"""Finds out who asks; raises one of the package's errors when nobody is accepted."""


def routes(engine: Engine, authenticate: Authenticate, max_body_bytes: int) -> list[BaseRoute]:
    """Make the routes of the data side.

    Args:
        engine: answers.
        authenticate: finds out who asks.
        max_body_bytes: of a body, or of one row of a body that is read row by row.
    """
    functions = _Endpoint(engine, authenticate, max_body_bytes, is_call=True)
    return [
        Route(PREFIX + "/{table}", _Endpoint(engine, authenticate, max_body_bytes)),
        Route(PREFIX + "/rpc/{function}", functions),
        Route(PREFIX + "/{rest:path}", _UnknownPath(authenticate)),
    ]


def may_be_load(scope: Scope) -> bool:
    """Tell whether a request's body may be long: rows of text, for a table."""
    return (
        scope["type"] == "http"
        and scope["method"] == "POST"
        and scope["path"].startswith(PREFIX + "/")
        and any(
            name == b"content-type" and value.lower().startswith(_LINE_TYPES)
            for name, value in scope["headers"]
        )
    )


class _Endpoint:
    """An ASGI application: Starlette's own request and response objects would cost as much."""

    def __init__(
        self,
        engine: Engine,
        authenticate: Authenticate,
        max_body_bytes: int,
        *,
        is_call: bool = False,
    ) -> None:
        self._engine = engine
        self._authenticate = authenticate
        self._max_body_bytes = max_body_bytes
        self._is_call = is_call
        self._parameter = "function" if is_call else "table"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = await self._authenticate(scope)
        try:
            if scope["method"] == "POST" and scope["query_string"] == _QUERY_IN_BODY:
                scope = _as_get(scope, await self._body(receive))
            if scope["method"] == "OPTIONS":
                name = scope["path_params"][self._parameter]
                answer = await self._engine.methods(caller, name, is_call=self._is_call)
                await send_answer(answer, scope, send)
                return
            request = self._read(scope)
            if request.is_stream:
                await self._stream(caller, request, scope, receive, send)
                return
            if request.line_form is not None:
                answer = await self._load(caller, request, request.line_form, receive)
            else:
                data = b"" if request.method in {"GET", "HEAD"} else await self._body(receive)
                answer = await self._engine.answer(caller, request, data)
        except RestError as error:
            answer = refusal_of(error)
        await send_answer(answer, scope, send)

    async def _body(self, receive: Receive) -> bytes:
        return await read_body(receive, self._max_body_bytes)

    async def _load(
        self, caller: Caller, request: Request, form: LineForm, receive: Receive
    ) -> Answer:
        """Insert lines of text as they come."""
        reader = LineReader(
            form,
            needs_keys=request.query.columns is None,
            batch_bytes=_BATCH_BYTES,
            max_row_bytes=self._max_body_bytes,
        )
        return await self._engine.load(caller, request, LongBody(receive, reader))

    async def _stream(
        self, caller: Caller, request: Request, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer with lines of text; one that fails after its beginning is left incomplete."""
        outlet = LongAnswer(scope, send, self._engine.max_stream_bytes(caller))
        work = self._engine.answer(caller, request, b"", outlet)
        try:
            answer = await while_connected(receive, work)
        except ClientDisconnect:
            return
        except RestError as error:
            if outlet.has_begun:
                raise
            answer = refusal_of(error)
        if outlet.has_begun:
            await outlet.end()
        else:
            await send_answer(answer, scope, send)

    def _read(self, scope: Scope) -> Request:
        return read_request(
            scope["method"],
            scope["path_params"][self._parameter],
            scope["query_string"],
            scope["headers"],
            is_call=self._is_call,
        )


def _as_get(scope: Scope, body: bytes) -> Scope:
    """Make the GET of a POST whose body is the query string: no URL is too short for it."""
    return {**scope, "method": "GET", "query_string": body.strip()}


class _UnknownPath:
    """Answers every deeper path."""

    def __init__(self, authenticate: Authenticate) -> None:
        self._authenticate = authenticate

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        await self._authenticate(scope)
        error = RestError("PGRST125", "Invalid path specified in request URL")
        await send_answer(refusal_of(error), scope, send)
