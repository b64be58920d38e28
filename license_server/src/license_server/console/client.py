"""The admin API as pages ask it: in this process, for who signed in.

Nothing is done past the API: roles, rules, idempotency, entity tags and the audit log are its own.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from starlette.types import Message, Scope, Send

from license_server.api.endpoints import etag
from license_server.api.server import AdminApi, Caller
from license_server.errors import CredentialMissing
from license_server.stores import Repository

_CALLER: Final = "license_server.caller"

Document = Any
"""A JSON document of the API."""


async def as_signed_in(scope: Scope, _repository: Repository, _now: datetime) -> Caller:
    """Return the caller whom the console found signed in.

    Raises:
        CredentialMissing: the request is not one of the console.
    """
    caller = scope["state"].get(_CALLER)
    if not isinstance(caller, Caller):
        raise CredentialMissing("nobody is signed in")
    return caller


class Api:
    """The API for one caller.

    Args:
        app: authenticates by `as_signed_in`.
        caller: who signed in.
        request_id: of the browser's request, for the audit log.
    """

    def __init__(self, app: AdminApi, caller: Caller, request_id: str) -> None:
        self._app = app
        self._caller = caller
        self._request_id = request_id

    async def get(self, path: str, **query: object) -> Document:
        """Return what is answered to a GET; members of the query that are None are left out.

        Raises:
            LicenseServerError: whatever the API refuses.
        """
        return await self._ask("GET", path, query, None, {})

    async def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        once: str | None = None,
        version: int | None = None,
    ) -> Document:
        """Change something.

        Args:
            method: POST, PATCH or DELETE.
            path: behind `/v1/admin/`.
            body: its members.
            once: what names this very request, so that it is done once.
            version: what the caller saw of the thing; None = whichever.

        Raises:
            LicenseServerError: whatever the API refuses.
        """
        headers = {}
        if once is not None:
            headers[b"idempotency-key"] = once.encode("ascii", "replace")
        if version is not None:
            headers[b"if-match"] = etag(version).encode("ascii")
        return await self._ask(method, path, {}, body, headers)

    async def stream(
        self, path: str, query: Mapping[str, object], send: Send, *headers: tuple[bytes, bytes]
    ) -> None:
        """Send a streamed answer on, with more headers."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        await self._app(self._scope("GET", path, query, {}), _no_body, with_headers)

    async def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, object],
        body: Mapping[str, object] | None,
        headers: Mapping[bytes, bytes],
    ) -> Document:
        content = b"" if body is None else json.dumps(body).encode("ascii")
        answered = bytearray()

        async def receive() -> Message:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Message) -> None:
            answered.extend(message.get("body", b""))

        declared = {b"content-type": b"application/json"} if content else {}
        await self._app(self._scope(method, path, query, {**declared, **headers}), receive, send)
        return json.loads(answered) if answered else None

    def _scope(
        self, method: str, path: str, query: Mapping[str, object], headers: Mapping[bytes, bytes]
    ) -> Scope:
        members = {name: _text(value) for name, value in query.items() if value is not None}
        return {
            "type": "http",
            "method": method,
            "path": f"/v1/admin/{path}",
            "query_string": urlencode(members).encode("ascii"),
            "headers": list(headers.items()),
            "client": None,
            "state": {"request_id": self._request_id, _CALLER: self._caller},
        }


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
