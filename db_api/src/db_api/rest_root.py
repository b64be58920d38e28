"""`/rest/v1/` itself: what this key may do."""

from typing import Final

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from db_api.answers import Answer
from db_api.openapi import Describer
from db_api.rest import PREFIX, Authenticate
from db_api.rest_errors import RestError
from db_api.transfer import refusal_of, send_answer

PATH: Final = PREFIX + "/"
_OPENAPI: Final = "application/openapi+json"
_JSON: Final = "application/json"
_ANY: Final = frozenset({"*/*", "application/*"})


def root_route(describer: Describer, authenticate: Authenticate) -> Route:
    """Make the route of the document."""
    return Route(PATH, _RootEndpoint(describer, authenticate))


class _RootEndpoint:
    """An ASGI application."""

    def __init__(self, describer: Describer, authenticate: Authenticate) -> None:
        self._describer = describer
        self._authenticate = authenticate

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        caller = await self._authenticate(scope)
        try:
            _require_reading(scope["method"])
            media_type = _media_type(scope["headers"])
            body = await self._describer.describe(caller)
            answer = Answer(200, (("Content-Type", f"{media_type}; charset=utf-8"),), body)
        except RestError as error:
            answer = refusal_of(error)
        await send_answer(answer, scope, send)


def _require_reading(method: str) -> None:
    if method not in {"GET", "HEAD"}:
        raise RestError("PGRST117", f"Unsupported HTTP method: {method}", hint="Use GET or HEAD.")


def _media_type(headers: list[tuple[bytes, bytes]]) -> str:
    """Choose between the document's own type and plain JSON."""
    accepted = ",".join(value.decode("latin-1") for name, value in headers if name == b"accept")
    wanted = {part.split(";")[0].strip().lower() for part in accepted.split(",")} - {""}
    if _OPENAPI in wanted:
        return _OPENAPI
    if _JSON in wanted:
        return _JSON
    if not wanted or wanted & _ANY:
        return _OPENAPI
    raise RestError(
        "PGRST107",
        f"None of these media types are available: {accepted}",
        hint=f"Ask for {_OPENAPI}.",
    )
