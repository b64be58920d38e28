"""The routes of the data side: tables and functions, in PostgREST's grammar."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from db_api.answers import MOUNT
from db_api.callers import Caller
from db_api.engine import Engine
from db_api.grammar.request import Request, read_request
from db_api.rest_errors import RestError
from db_api.transfer import LongAnswer, read_body, refusal_of, send_answer, while_connected

PREFIX: Final = MOUNT
_QUERY_IN_BODY: Final = b"_method=query"
Authenticate = Callable[[Scope], Awaitable[Caller]]
"""Finds out who asks; raises one of the package's errors when nobody is accepted."""


def routes(engine: Engine, authenticate: Authenticate) -> list[BaseRoute]:
    """Make the routes of the data side."""
    return [
        Route(PREFIX + "/rpc/{function}", _Endpoint(engine, authenticate, is_call=True)),
        Route(PREFIX + "/{table}", _Endpoint(engine, authenticate)),
        Route(PREFIX + "/{rest:path}", _UnknownPath(authenticate)),
    ]


class _Endpoint:
    """An ASGI application: Starlette's own request and response objects would cost as much."""

    def __init__(
        self, engine: Engine, authenticate: Authenticate, *, is_call: bool = False
    ) -> None:
        self._engine = engine
        self._authenticate = authenticate
        self._is_call = is_call
        self._parameter = "function" if is_call else "table"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = await self._authenticate(scope)
        try:
            if scope["method"] == "POST" and scope["query_string"] == _QUERY_IN_BODY:
                scope = await _as_get(scope, receive)
            if scope["method"] == "OPTIONS":
                name = scope["path_params"][self._parameter]
                answer = await self._engine.methods(caller, name, is_call=self._is_call)
                await send_answer(answer, scope, send)
                return
            request = self._read(scope)
            if request.is_stream:
                await self._stream(caller, request, scope, receive, send)
                return
            data = b"" if request.method in {"GET", "HEAD"} else await read_body(receive)
            answer = await self._engine.answer(caller, request, data)
        except RestError as error:
            answer = refusal_of(error)
        await send_answer(answer, scope, send)

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


async def _as_get(scope: Scope, receive: Receive) -> Scope:
    """Make the GET of a POST whose body is the query string: no URL is too short for it."""
    return {**scope, "method": "GET", "query_string": (await read_body(receive)).strip()}


class _UnknownPath:
    """Answers every deeper path."""

    def __init__(self, authenticate: Authenticate) -> None:
        self._authenticate = authenticate

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        await self._authenticate(scope)
        error = RestError("PGRST125", "Invalid path specified in request URL")
        await send_answer(refusal_of(error), scope, send)
