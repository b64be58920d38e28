"""One table of endpoints: path, method, who may call it, what answers.

The check of who may stands here, once, before any handler; a handler without an entry in this
table cannot be reached. Errors are raised to the edge, which renders them.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from db_api.auth import Administrator, Authenticator
from db_api.callers import Caller
from db_api.control.audit import Actor
from db_api.errors import AccessDeniedError, MethodNotAllowedError, NotFoundError

Identity = Administrator | Caller | None
Handler = Callable[[Request, Identity], Awaitable[Response]]


_log = structlog.get_logger(__name__)


class Access(Enum):
    """Who may call an endpoint."""

    ANYONE = auto()
    KEY_OR_ADMIN = auto()
    ADMIN = auto()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path."""

    method: str
    path: str
    access: Access
    handle: Handler


def management_routes(
    endpoints: Iterable[Endpoint], authenticator: Authenticator
) -> list[BaseRoute]:
    """Make the routes that serve a table of endpoints."""
    methods_by_path: dict[str, dict[str, Endpoint]] = defaultdict(dict)
    for endpoint in endpoints:
        methods_by_path[endpoint.path][endpoint.method] = endpoint
    return [
        Route(path, _Resource(methods, authenticator)) for path, methods in methods_by_path.items()
    ]


class _Resource:
    """All methods of one path."""

    def __init__(self, methods: Mapping[str, Endpoint], authenticator: Authenticator) -> None:
        self._methods = methods
        self._authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the method, let in or raise, answer."""
        request = Request(scope, receive)
        method = "GET" if request.method == "HEAD" else request.method
        endpoint = self._methods.get(method)
        if endpoint is None:
            raise MethodNotAllowedError(tuple(sorted(self._methods)))
        identity = await self._admit(endpoint.access, request)
        response = await endpoint.handle(request, identity)
        await response(scope, receive, send)

    async def _admit(self, access: Access, request: Request) -> Identity:
        if access is Access.ANYONE:
            return None
        identity = await self._authenticator.identify(request.scope["headers"], address_of(request))
        if access is not Access.KEY_OR_ADMIN and isinstance(identity, Caller):
            _log.warning("authz.denied", key_prefix=identity.key_prefix)
            raise AccessDeniedError(
                "API keys may not do this.", hint="Log in as the administrator by HTTP Basic."
            )
        return identity


def address_of(request: Request) -> str:
    """Name the client's address as the edge found it, empty for none."""
    return request.client.host if request.client else ""


def actor_of(request: Request, identity: Identity, now: datetime) -> Actor:
    """Say for the audit trail who asks, in which request.

    Raises:
        AccessDeniedError: not an administrator; such an endpoint has `Access.ADMIN`.
    """
    if not isinstance(identity, Administrator):
        raise AccessDeniedError("Only the administrator changes this.")
    return Actor(f"admin:{identity.name}", request.state.request_id, now)


async def nothing_there(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Answer every path that has no route."""
    raise NotFoundError(
        "There is nothing at this path.",
        hint="Management is under /api, data under /rest/v1/{table}.",
    )
