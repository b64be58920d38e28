"""`POST /api/batch`: several operations of the data side in one transaction."""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Final, Literal
from urllib.parse import unquote

from pydantic import Field, JsonValue
from starlette.requests import Request
from starlette.responses import Response

from db_api.callers import Caller
from db_api.engine import Engine
from db_api.errors import AccessDeniedError, InvalidRequestError
from db_api.grammar.request import Request as DataRequest
from db_api.grammar.request import read_request
from db_api.rest_errors import RestError
from db_api.routes.endpoints import Access, Endpoint, Identity
from db_api.routes.rendering import Body, read_body

MAX_OPERATIONS: Final = 50
_PREFIX: Final = "/rest/v1/"
_CALL: Final = "rpc/"


class OperationBody(Body):
    """One operation."""

    method: Literal["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]
    path: Annotated[str, Field(pattern=r"^/rest/v1/[^?#]+(\?[\x21-\x7e]*)?$")]
    headers: dict[str, str] = Field(default_factory=dict)
    body: JsonValue = None


class BatchBody(Body):
    """Body of a batch."""

    requests: Annotated[tuple[OperationBody, ...], Field(min_length=1, max_length=MAX_OPERATIONS)]


class BatchRoutes:
    """Answers batches.

    Args:
        engine: of the data side.
        count: counts one more request of a key, or raises.
    """

    def __init__(self, engine: Engine, count: Callable[[Request], Awaitable[object]]) -> None:
        self._engine = engine
        self._count = count

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return the entries of this module."""
        return (Endpoint("POST", "/api/batch", Access.KEY_OR_ADMIN, self._run),)

    async def _run(self, request: Request, identity: Identity) -> Response:
        if not isinstance(identity, Caller):
            raise AccessDeniedError("Data is reached with the API key of a schema.")
        body = await read_body(request, BatchBody)
        operations = [_read(place, operation) for place, operation in enumerate(body.requests)]
        for _ in operations[1:]:  # the batch itself is counted already
            await self._count(request)
        answer = await self._engine.batch(identity, operations)
        return Response(answer.body, answer.status, dict(answer.headers))


def _read(place: int, operation: OperationBody) -> tuple[DataRequest, bytes]:
    path, _, query = operation.path.removeprefix(_PREFIX).partition("?")
    is_call = path.startswith(_CALL)
    name = unquote(path.removeprefix(_CALL))
    if not name or "/" in name:
        raise InvalidRequestError(f"requests[{place}].path: is no table or function.")
    headers = [
        (key.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace"))
        for key, value in operation.headers.items()
        if key.lower() != "content-type"
    ]
    headers.append((b"content-type", b"application/json"))
    try:
        request = read_request(
            operation.method, name, query.encode("latin-1"), headers, is_call=is_call
        )
    except RestError as error:
        error.add_note(f"requests[{place}]")
        raise error.at_its_note() from None
    if request.representation.form != "json" or request.preferences.end is not None:
        raise InvalidRequestError(
            f"requests[{place}].headers: a batch has neither CSV, NDJSON nor Prefer: tx."
        )
    return request, b"" if operation.body is None else json.dumps(operation.body).encode()
