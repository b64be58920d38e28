"""The routes of the data side: `/rest/v1/{table}`, in PostgREST's grammar."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from db_api.answers import Answer
from db_api.callers import Caller
from db_api.engine import Engine
from db_api.grammar.request import read_request
from db_api.rest_errors import RestError, render_error

PREFIX: Final = "/rest/v1"
_BODILESS: Final = frozenset({204, 205, 304})
"""Statuses whose answers end with their head (RFC 9110, 6.4.1 and 15.3.6); a function of the
customer's may choose one, and a body would be read as the beginning of the next answer."""

Authenticate = Callable[[Scope], Awaitable[Caller]]
"""Finds out who asks; raises one of the package's errors when nobody is accepted."""


def routes(engine: Engine, authenticate: Authenticate) -> list[BaseRoute]:
    """Make the routes of the data side."""
    return [
        Route(PREFIX + "/{table}", _TableEndpoint(engine, authenticate)),
        Route(PREFIX + "/{rest:path}", _UnknownPath(authenticate)),
    ]


class _TableEndpoint:
    """An ASGI application: Starlette's own request and response objects would cost as much."""

    def __init__(self, engine: Engine, authenticate: Authenticate) -> None:
        self._engine = engine
        self._authenticate = authenticate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = await self._authenticate(scope)
        try:
            answer = await self._answer(caller, scope, receive)
        except RestError as error:
            answer = _refusal(error)
        await _send(answer, scope, send)

    async def _answer(self, caller: Caller, scope: Scope, receive: Receive) -> Answer:
        table = scope["path_params"]["table"]
        request = read_request(scope["method"], table, scope["query_string"], scope["headers"])
        data = b"" if request.method in {"GET", "HEAD"} else await _read_body(receive)
        return await self._engine.answer(caller, request, data)


class _UnknownPath:
    """Answers every deeper path."""

    def __init__(self, authenticate: Authenticate) -> None:
        self._authenticate = authenticate

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        await self._authenticate(scope)
        error = RestError("PGRST125", "Invalid path specified in request URL")
        await _send(_refusal(error), scope, send)


async def _read_body(receive: Receive) -> bytes:
    """Read a whole body; whoever calls the application limits its size.

    Raises:
        ClientDisconnect: the client left before its end.
    """
    parts = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _refusal(error: RestError) -> Answer:
    body = render_error(error.code, error.message, error.details, error.hint)
    content_type = ("Content-Type", "application/json; charset=utf-8")
    return Answer(error.status, (content_type, *error.headers), body)


async def _send(answer: Answer, scope: Scope, send: Send) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
    has_body = answer.status not in _BODILESS
    if has_body and scope["method"] != "HEAD":
        headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body if has_body else b""})
