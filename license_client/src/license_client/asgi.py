"""A gate in front of an ASGI application: it answers while the license is usable.

license = require_license(product="my-program", trust=TRUST)
app = LicenseGate(app, license, always_open=("/health",))
"""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, TypeAlias

from license_client._status import PROBLEM_STATUS, PROBLEM_TYPE, LicenseStatus, problem_of
from license_client._watch import License

# The types of the ASGI specification, which is data and no package.
Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_GATED = frozenset({"http", "websocket"})


class LicenseGate:
    """An ASGI application that hands requests on while the license is usable.

    A closed gate answers 403 with a problem document, and refuses web sockets. What was let in
    is never cut off.

    Args:
        app: gets the requests.
        license: a watch over the license; each request reads its `status`.
        always_open: beginnings of paths that are handed on in any case.
    """

    def __init__(self, app: App, license: License, always_open: Sequence[str] = ()) -> None:  # noqa: A002 - the word that fits, and nobody needs the builtin here
        self._app = app
        self._license = license
        self._always_open = tuple(always_open)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or answer that the gate is closed."""
        status = self._license.status
        if status.usable or not self._is_gated(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()  # its `websocket.connect`, which has to come first
            await send({"type": "websocket.close", "code": 1008, "reason": status.code})
        else:
            await _refuse(send, status)

    def _is_gated(self, scope: Scope) -> bool:
        return scope["type"] in _GATED and not scope["path"].startswith(self._always_open)


async def _refuse(send: Send, status: LicenseStatus) -> None:
    body = problem_of(status)
    headers = [
        (b"content-type", PROBLEM_TYPE.encode("ascii")),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": PROBLEM_STATUS, "headers": headers})
    await send({"type": "http.response.body", "body": body})
