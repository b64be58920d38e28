"""An HTTP transport without a network: it calls an ASGI application, and streams both ways.

httpx has one of its own that gathers whole answers in memory.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
from starlette.types import ASGIApp, Message, Scope


class InProcess(httpx.AsyncBaseTransport):
    """Calls an application; what it raises reaches the caller as it is.

    Args:
        app: the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        exchange = _Exchange(self._app, request)
        start = await exchange.start()
        return httpx.Response(start["status"], headers=start["headers"], stream=exchange)


class _Exchange(httpx.AsyncByteStream):
    """One request under way; a stream of its answer's body."""

    def __init__(self, app: ASGIApp, request: httpx.Request) -> None:
        stream = request.stream
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - an asynchronous client's always is
        self._parts = aiter(stream)
        self._messages: asyncio.Queue[Message] = asyncio.Queue(maxsize=1)
        self._task: asyncio.Task[None] = asyncio.create_task(
            app(_scope(request), self._receive, self._messages.put)  # type: ignore[arg-type]  # an application is a coroutine function
        )

    async def start(self) -> Message:
        """Wait for the head of the answer."""
        return await self._next()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            message = await self._next()
            yield message.get("body", b"")
            if not message.get("more_body", False):
                await self._task
                return

    async def aclose(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _next(self) -> Message:
        """Return the next message, or raise what the application raised before there was one."""
        getting = asyncio.create_task(self._messages.get())
        await asyncio.wait({getting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if not getting.done() and self._messages.empty():
            getting.cancel()
            await self._task
            raise httpx.RemoteProtocolError("the application ended before its answer did")
        return await getting

    async def _receive(self) -> Message:
        part = await anext(self._parts, None)
        if part is None:
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.request", "body": part, "more_body": True}


def _scope(request: httpx.Request) -> Scope:
    return {
        "type": "http",
        "method": request.method,
        "path": request.url.path,
        "query_string": request.url.query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": None,
        "state": {},
    }
