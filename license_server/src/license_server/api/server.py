"""The admin API as one ASGI application.

A request is served in this order, and each step needs the one before:

1. The path and the method name an endpoint.
2. The caller is known or refused.
3. The caller's role may ask for this.
4. Query and body are parsed completely.
5. A request that came before under the same Idempotency-Key is answered as it was then.
6. The handler works; its answer is kept under the key; the transaction commits.
7. The answer is sent.
"""

import hashlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import structlog
from starlette.types import Receive, Scope, Send

from license_server.admin.tokens import Tokens
from license_server.api.endpoints import (
    AnyEndpoint,
    Call,
    Endpoint,
    Reply,
    StreamCall,
    Streamed,
    StreamEndpoint,
    etag,
)
from license_server.api.requests import (
    ClientLeft,
    body_parts,
    header,
    media_type,
    parse_body,
    parse_query,
    read_json_body,
)
from license_server.audit import ACTOR_CLI
from license_server.desk import Desk, Vault
from license_server.errors import (
    CredentialInvalid,
    CredentialMissing,
    FieldError,
    IdempotencyConflict,
    InvalidField,
    NotFound,
    RoleForbidden,
    UnsupportedMediaType,
)
from license_server.middleware import RawResponse
from license_server.ports import ADMIN_FAILURES, Throttle
from license_server.problems import MethodNotAllowed
from license_server.stores import Repository, Transaction
from license_server.tokens import Role

_PATH_VALUE: Final = r"(?P<\1>[A-Za-z0-9][A-Za-z0-9._:-]{0,63})"
_IDEMPOTENCY_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_JSON: Final = (b"content-type", b"application/json")
_REPLAYED: Final = (b"idempotency-replayed", b"true")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        actor: for the audit log.
        role: what it may do.
    """

    actor: str
    role: Role


Authenticate = Callable[[Scope, Repository, datetime], Awaitable[Caller]]


async def as_operator(_scope: Scope, _repository: Repository, _now: datetime) -> Caller:
    """Take whoever asks for the operator: for the command line on the server's own folder."""
    return Caller(ACTOR_CLI, Role.OWNER)


class BearerTokens:
    """Knows callers by their admin tokens.

    Args:
        vault: for the desk that judges a token.
        throttle: counts refused tokens by source, rule `ADMIN_FAILURES`.
    """

    def __init__(self, vault: Vault, throttle: Throttle) -> None:
        self._vault = vault
        self._throttle = throttle

    async def __call__(self, scope: Scope, repository: Repository, now: datetime) -> Caller:
        """Return the caller.

        Raises:
            CredentialMissing: the request has no token.
            CredentialInvalid: the token is malformed, unknown, expired or revoked.
            RateLimited: too many refused tokens came from this source.
        """
        scheme, _, text = (header(scope, b"authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not text:
            raise CredentialMissing("the header Authorization: Bearer lsk_… is expected")
        source = scope["client"][0] if scope["client"] else ""
        try:
            async with repository.transaction() as transaction:
                desk = Desk(transaction, self._vault, "", now)
                token = await Tokens(desk).require(text.strip())
        except CredentialInvalid:
            _log.warning("auth.failed", client=source)
            await self._throttle.hit(ADMIN_FAILURES, source)
            raise
        return Caller(token.token_id, token.role)


class AdminApi:
    """Serves the admin API.

    Args:
        endpoints: what can be asked for.
        repository: where the work is done.
        vault: blinds and seals.
        authenticate: knows callers.
        now: the wall clock.
    """

    def __init__(
        self,
        endpoints: Sequence[AnyEndpoint],
        repository: Repository,
        vault: Vault,
        authenticate: Authenticate,
        now: Callable[[], datetime],
    ) -> None:
        self._routes = _routes(endpoints)
        self._repository = repository
        self._vault = vault
        self._authenticate = authenticate
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            LicenseServerError: whatever is wrong with it; the edge renders that.
        """
        endpoint, path = self._match(scope)
        try:
            if isinstance(endpoint, StreamEndpoint):
                await self._stream(endpoint, scope, receive, send)
            else:
                await _send(send, await self._answer(endpoint, path, scope, receive))
        except ClientLeft:
            return

    def _match(self, scope: Scope) -> tuple[AnyEndpoint, Mapping[str, str]]:
        """Return the endpoint of the first path that matches, and what is in its braces."""
        for pattern, endpoints in self._routes:
            found = pattern.fullmatch(scope["path"])
            if found is None:
                continue
            endpoint = endpoints.get(scope["method"])
            if endpoint is None:
                raise MethodNotAllowed(", ".join(endpoints))
            return endpoint, found.groupdict()
        raise NotFound("there is no such address")

    async def _answer(
        self, endpoint: Endpoint[Any, Any], path: Mapping[str, str], scope: Scope, receive: Receive
    ) -> RawResponse:
        now = self._now()
        caller = await self._require_caller(endpoint, scope, now)
        query = parse_query(endpoint.query, scope["query_string"])
        raw = await read_json_body(receive)
        body = parse_body(endpoint.body, media_type(scope), raw)
        async with self._repository.transaction() as transaction:
            desk = self._desk(transaction, caller, scope, now)
            call = Call(desk, path, query, body, header(scope, b"if-match"))
            work = partial(_work, endpoint, call)
            key = _idempotency_key(scope) if endpoint.method == "POST" else None
            if key is None:
                return await work()
            return await _once(desk, key, _fingerprint(scope, raw), work)

    async def _stream(
        self, endpoint: StreamEndpoint[Any], scope: Scope, receive: Receive, send: Send
    ) -> None:
        now = self._now()
        caller = await self._require_caller(endpoint, scope, now)

        @asynccontextmanager
        async def open_desk() -> AsyncIterator[Desk]:
            async with self._repository.transaction() as transaction:
                yield self._desk(transaction, caller, scope, now)

        declared = media_type(scope)
        if endpoint.takes and declared not in endpoint.takes:
            raise UnsupportedMediaType(
                f"the header Content-Type: {' or '.join(endpoint.takes)} is expected"
            )
        query = parse_query(endpoint.query, scope["query_string"])
        streamed = await endpoint.handler(
            StreamCall(
                open_desk,
                self._repository.importing,
                query,
                declared,
                body_parts(receive),
                _idempotency_key(scope),
            )
        )
        await _send_parts(send, streamed)

    async def _require_caller(self, endpoint: AnyEndpoint, scope: Scope, now: datetime) -> Caller:
        caller = await self._authenticate(scope, self._repository, now)
        if caller.role not in endpoint.roles:
            _log.warning("authz.denied", actor=caller.actor, endpoint=endpoint.name)
            allowed = ", ".join(sorted(endpoint.roles))
            raise RoleForbidden(f"the role {caller.role} may not do this; it is for {allowed}")
        return caller

    def _desk(self, transaction: Transaction, caller: Caller, scope: Scope, now: datetime) -> Desk:
        request_id = scope.get("state", {}).get("request_id")
        return Desk(transaction, self._vault, caller.actor, now, request_id)


async def _work(endpoint: Endpoint[Any, Any], call: Call[Any, Any]) -> RawResponse:
    reply = await endpoint.handler(call)
    return _response(endpoint.status, reply)


async def _once(
    desk: Desk, key: str, fingerprint: bytes, work: Callable[[], Awaitable[RawResponse]]
) -> RawResponse:
    """Work unless this request came before; then answer as it was answered then."""
    store, sealer = desk.transaction.idempotency, desk.vault.sealer
    context = f"idempotency.answer.{desk.actor}.{key}"
    kept = await store.claim(desk.actor, key, fingerprint, desk.now)
    if kept is None:
        response = await work()
        await store.keep(desk.actor, key, sealer.seal_bytes(_packed(response), context))
        return response
    if kept.fingerprint != fingerprint or kept.answer_sealed is None:
        raise IdempotencyConflict(
            "this Idempotency-Key was used for another request: draw a new one"
        )
    return _unpacked(sealer.unseal_bytes(kept.answer_sealed, context))


def _response(status: HTTPStatus, reply: Reply) -> RawResponse:
    headers: list[tuple[bytes, bytes]] = []
    body = b""
    if reply.document is not None:
        body = reply.document.model_dump_json().encode("utf-8")
        headers.append(_JSON)
        headers.append((b"content-length", b"%d" % len(body)))
    if reply.version is not None:
        headers.append((b"etag", etag(reply.version).encode("ascii")))
    return RawResponse(status, tuple(headers), body)


def _packed(response: RawResponse) -> bytes:
    headers = [[name.decode(), value.decode()] for name, value in response.headers]
    return json.dumps([response.status, headers, response.body.decode("utf-8")]).encode()


def _unpacked(packed: bytes) -> RawResponse:
    status, headers, body = json.loads(packed)
    pairs = tuple((name.encode(), value.encode()) for name, value in headers)
    return RawResponse(status, (*pairs, _REPLAYED), body.encode("utf-8"))


def _idempotency_key(scope: Scope) -> str | None:
    key = header(scope, b"idempotency-key")
    if key is not None and not _IDEMPOTENCY_KEY.fullmatch(key):
        expected = "1 to 255 printable ASCII characters without spaces are expected"
        raise InvalidField(FieldError("Idempotency-Key", expected))
    return key


def _fingerprint(scope: Scope, body: bytes) -> bytes:
    named = f"{scope['method']} {scope['path']}?".encode() + scope["query_string"]
    return hashlib.sha256(hashlib.sha256(named).digest() + body).digest()


def _routes(
    endpoints: Sequence[AnyEndpoint],
) -> Sequence[tuple[re.Pattern[str], Mapping[str, AnyEndpoint]]]:
    """Return the patterns of the paths, in their order, each with its endpoints by method."""
    by_path: dict[str, dict[str, AnyEndpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return [(_pattern(path), methods) for path, methods in by_path.items()]


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", _PATH_VALUE, path))


async def _send(send: Send, response: RawResponse) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": response.status,
            "headers": list(response.headers),
        }
    )
    await send({"type": "http.response.body", "body": response.body})


async def _send_parts(send: Send, streamed: Streamed) -> None:
    """Send a stream, once its first part is there: until then an error has an answer of its own."""
    parts = streamed.parts
    first = await anext(parts, b"")
    headers = [(b"content-type", streamed.media_type.encode("ascii"))]
    if streamed.is_replayed:
        headers.append(_REPLAYED)
    await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": headers})
    await send({"type": "http.response.body", "body": first, "more_body": True})
    async for part in parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
