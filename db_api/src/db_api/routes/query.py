"""`POST /api/query`: one statement of the user's own."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, Strict
from starlette.requests import Request
from starlette.responses import Response

from db_api.callers import Caller
from db_api.control.audit import Actor
from db_api.errors import CredentialMissingError
from db_api.routes.endpoints import Access, Endpoint, Identity
from db_api.routes.rendering import Body, read_body
from db_api.user_sql.desk import Desk, SqlRequest
from db_api.user_sql.parameters import read_parameters
from db_api.user_sql.runner import Outcome

_ADMIN_SCHEMA: Final = "public"
"""Where an administrator's unqualified names are looked up."""

_Count = Annotated[int, Strict(), Field(ge=1)]


def _require_no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("SQL holds no NUL")
    return text


class QueryBody(Body):
    """Body of a query."""

    model_config = ConfigDict(allow_inf_nan=False)

    sql: Annotated[str, Field(min_length=1), AfterValidator(_require_no_nul)]
    params: tuple[JsonValue, ...] = ()
    mode: Literal["read", "write"] = "read"
    max_rows: _Count | None = None
    timeout_ms: _Count | None = None


class QueryRoutes:
    """Answers statements.

    Args:
        desk: has them run.
        utc_now: the wall clock.
    """

    def __init__(self, desk: Desk, utc_now: Callable[[], datetime]) -> None:
        self._desk = desk
        self._utc_now = utc_now

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return the entries of this module."""
        return (Endpoint("POST", "/api/query", Access.KEY_OR_ADMIN, self._run),)

    async def _run(self, request: Request, identity: Identity) -> Response:
        body = await read_body(request, QueryBody)
        caller, name = _asker(identity)
        outcome = await self._desk.run(
            caller,
            Actor(name, request.state.request_id, self._utc_now()),
            SqlRequest(
                sql=body.sql,
                parameters=read_parameters(await request.body(), "params"),
                writes=body.mode == "write",
                max_rows=body.max_rows,
                timeout_ms=body.timeout_ms,
            ),
        )
        headers = {"X-Result-Truncated": "true"} if outcome.is_truncated else None
        return Response(_written(outcome), headers=headers, media_type="application/json")


def _asker(identity: Identity) -> tuple[Caller, str]:
    """Return as whom a statement runs, and what the audit trail calls them."""
    if identity is None:
        raise CredentialMissingError("A statement is run for somebody alone.")
    if isinstance(identity, Caller):
        return identity, f"key:{identity.key_prefix}"
    return Caller(_ADMIN_SCHEMA, "admin", ""), f"admin:{identity.name}"


def _written(outcome: Outcome) -> bytes:
    rest = {
        "columns": [{"name": column.name, "type": column.type} for column in outcome.columns],
        "rowCount": outcome.row_count,
        "truncated": outcome.is_truncated,
        "durationMs": round(outcome.duration_seconds * 1000, 2),
    }
    return b'{"data":[%b],%b' % (
        b",".join(outcome.rows),
        json.dumps(rest, ensure_ascii=False).encode()[1:],
    )
