"""The runtime endpoints as one ASGI application: parse, ask the service, render.

A table of fixed paths instead of a router: matching costs a microsecond, not twenty. What goes
wrong is raised and rendered at the edge, by `problems`.
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Final
from urllib.parse import parse_qs

from pydantic import TypeAdapter
from starlette.types import ASGIApp, Receive, Scope, Send

from license_server.codes import Code
from license_server.errors import (
    FieldError,
    InvalidField,
    NotFound,
    RateLimited,
)
from license_server.evaluation import Operation
from license_server.keysets import MAX_EPOCH
from license_server.messages import MAX_BODY_BYTES, read_request
from license_server.middleware import RawResponse
from license_server.problems import MethodNotAllowed
from license_server.request_bodies import read_body, require_json
from license_server.self_service import RECOVERY_PREFIX, Handler
from license_server.service import Answer, LicenseService
from license_server.throttle import REQUESTS, UNKNOWN_KEY_COST, RateLimiter, source_of

_JSON: Final = (b"content-type", b"application/json")
_DOCUMENT: Final = TypeAdapter(dict[str, object])
_MAX_EPOCH_DIGITS: Final = len(str(MAX_EPOCH))


def build_routes(
    service: LicenseService,
    throttle: RateLimiter,
    now: Callable[[], datetime],
    further: Mapping[str, Mapping[str, Handler]],
    links: Mapping[str, Handler],
) -> ASGIApp:
    """Return the application.

    Args:
        service: gives the answers.
        throttle: counts by source, rule `REQUESTS`.
        now: the wall clock.
        further: handlers of other paths, by path and method.
        links: handlers of recovery links, by method.
    """
    licenses = _LicenseRoutes(service, throttle, now)
    table: dict[str, dict[str, Handler]] = {
        f"/v1/licenses/{operation.value}": {"POST": partial(licenses.answer, operation)}
        for operation in Operation
    }
    table["/v1/keyset"] = _readable(partial(_keyset, service))
    table["/livez"] = _readable(_livez)
    table["/readyz"] = _readable(partial(_readyz, service, now))
    return partial(_dispatch, {**table, **further}, links)


async def _dispatch(
    table: Mapping[str, Mapping[str, Handler]],
    links: Mapping[str, Handler],
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Answer one request.

    Raises:
        NotFound: there is no such path, or not for this method.
    """
    handlers = table.get(scope["path"])
    if handlers is None and scope["path"].startswith(RECOVERY_PREFIX):
        handlers = links
    if handlers is None:
        raise NotFound("there is no such address")
    handler = handlers.get(scope["method"])
    if handler is None:
        raise MethodNotAllowed(", ".join(handlers))
    response = await handler(scope, receive)
    if response is not None:
        await send(
            {
                "type": "http.response.start",
                "status": response.status,
                "headers": list(response.headers),
            }
        )
        await send({"type": "http.response.body", "body": response.body})


class _LicenseRoutes:
    """The three operations; they differ in the one word that the service gets."""

    def __init__(
        self, service: LicenseService, throttle: RateLimiter, now: Callable[[], datetime]
    ) -> None:
        self._service = service
        self._throttle = throttle
        self._now = now

    async def answer(
        self, operation: Operation, scope: Scope, receive: Receive
    ) -> RawResponse | None:
        """Answer with a decision, whether yes or no."""
        source = source_of(scope["client"][0] if scope["client"] else "")
        await self._throttle.hit(REQUESTS, source)
        require_json(scope)
        body = await read_body(receive, MAX_BODY_BYTES)
        if body is None:
            return None
        answer = await self._service.answer(
            operation, read_request(operation, body), now=self._now()
        )
        if answer.code is Code.LICENSE_NOT_FOUND:
            with suppress(RateLimited):  # the limit is for the next one: this one is answered
                await self._throttle.hit(REQUESTS, source, cost=UNKNOWN_KEY_COST)
        return _json_response(_document(answer))


async def _keyset(service: LicenseService, scope: Scope, _receive: Receive) -> RawResponse:
    """Answer with the key sets above the epoch `since`, or that there is nothing new."""
    response = _json_response({"keyset": service.keysets_above(_since(scope))})
    tag = b'"%s"' % hashlib.sha256(response.body).hexdigest()[:32].encode("ascii")
    headers = ((b"etag", tag), (b"cache-control", b"no-cache"))  # kept, but asked for each time
    if tag in _known_tags(scope):
        return RawResponse(304, headers, b"")
    return RawResponse(200, (*response.headers, *headers), response.body)


async def _livez(_scope: Scope, _receive: Receive) -> RawResponse:
    """Answer that the process runs; asks nobody."""
    return _json_response({"status": "alive"})


async def _readyz(
    service: LicenseService, now: Callable[[], datetime], _scope: Scope, _receive: Receive
) -> RawResponse:
    """Answer that decisions can be given, or raise why not."""
    await service.require_ready(now())
    return _json_response({"status": "ready"})


def _readable(handler: Handler) -> dict[str, Handler]:
    """Answer GET, and HEAD with the same headers; the server drops its body."""
    return {"GET": handler, "HEAD": handler}


def _since(scope: Scope) -> int:
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    text = query.get("since", ["0"])[-1]
    if text.isascii() and text.isdigit() and len(text) <= _MAX_EPOCH_DIGITS:
        epoch = int(text)
        if epoch <= MAX_EPOCH:
            return epoch
    raise InvalidField(FieldError("since", "a key-set epoch is expected"))


def _known_tags(scope: Scope) -> set[bytes]:
    """Return the entity tags of If-None-Match, compared weakly (RFC 9110, 13.1.2)."""
    values = [value for name, value in scope["headers"] if name == b"if-none-match"]
    return {tag.strip().removeprefix(b"W/") for tag in b",".join(values).split(b",")}


def _document(answer: Answer) -> dict[str, object]:
    """Return the answer's JSON members, in the order of the contract."""
    document: dict[str, object] = {
        "valid": answer.valid,
        "code": answer.code,
        "status": answer.status,
        "warnings": answer.warnings,
        "message": answer.message,
        "server_time": int(answer.server_time.timestamp()),
        "decision": answer.decision,
    }
    if answer.keyset is not None:
        document["keyset"] = answer.keyset
    return document


def _json_response(document: dict[str, object]) -> RawResponse:
    body = _DOCUMENT.dump_json(document, ensure_ascii=True)
    return RawResponse(200, (_JSON, (b"content-length", b"%d" % len(body))), body)
