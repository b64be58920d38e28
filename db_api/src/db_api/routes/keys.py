"""`/api/project/{schema}/keys`: the administrator's API keys of a schema."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, Strict
from starlette.requests import Request
from starlette.responses import JSONResponse

from db_api.api_keys import (
    MAX_NAME_LENGTH,
    MAX_OVERLAP_SECONDS,
    ApiKey,
    KeyType,
    generate_key,
    is_key_name,
)
from db_api.control.keys import KeyStore, NewKey
from db_api.errors import InvalidRequestError, NotFoundError
from db_api.routes.endpoints import Access, Endpoint, Identity, actor_of
from db_api.routes.rendering import Body, Json, answer, instant, read_body
from db_api.schemas import SchemaStore, require_open

_KEYS: Final = "/api/project/{schema}/keys"


def _require_key_name(text: str) -> str:
    if not is_key_name(text):
        raise ValueError(f"1 to {MAX_NAME_LENGTH} printable characters are expected")
    return text


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a year from 1 to 9999 in UTC is expected") from None


class CreateBody(Body):
    """Body of the creation of a key."""

    key_name: Annotated[str, AfterValidator(_require_key_name)]
    key_type: KeyType
    expires_at: Annotated[AwareDatetime, Strict(), AfterValidator(_in_utc)] | None = None


class RotateBody(Body):
    """Body of the rotation of a key."""

    overlap_seconds: Annotated[int, Strict(), Field(ge=0, le=MAX_OVERLAP_SECONDS)] = 0


class KeyRoutes:
    """Answers about API keys."""

    def __init__(
        self, keys: KeyStore, schemas: SchemaStore, utc_now: Callable[[], datetime]
    ) -> None:
        self._keys = keys
        self._schemas = schemas
        self._utc_now = utc_now

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return the entries of this module."""
        return (
            Endpoint("GET", _KEYS, Access.ADMIN, self._list),
            Endpoint("POST", _KEYS, Access.ADMIN, self._create),
            Endpoint("POST", f"{_KEYS}/{{id}}/rotate", Access.ADMIN, self._rotate),
            Endpoint("DELETE", f"{_KEYS}/{{id}}", Access.ADMIN, self._revoke),
        )

    async def _list(self, request: Request, _identity: Identity) -> JSONResponse:
        schema = request.path_params["schema"]
        await self._schemas.require(schema)
        keys = await self._keys.list(schema)
        return answer([_shown(key) for key in keys], f"{len(keys)} keys")

    async def _create(self, request: Request, identity: Identity) -> JSONResponse:
        schema = request.path_params["schema"]
        body = await read_body(request, CreateBody)
        now = self._utc_now()
        if body.expires_at is not None and body.expires_at <= now:
            raise InvalidRequestError("expiresAt is in the past.")
        await self._schemas.require(schema)
        secret = generate_key()
        new = NewKey(body.key_name, body.key_type, schema, body.expires_at)
        key = await self._keys.create(secret, new, actor_of(request, identity, now))
        shown = {"id": str(key.id), "key": secret, **_described(key)}
        return JSONResponse(shown, HTTPStatus.CREATED)

    async def _rotate(self, request: Request, identity: Identity) -> JSONResponse:
        schema, key_id = _place(request)
        body = await read_body(request, RotateBody)
        secret = generate_key()
        overlap = timedelta(seconds=body.overlap_seconds)
        actor = actor_of(request, identity, self._utc_now())
        key = await self._keys.rotate(schema, key_id, secret, overlap, actor)
        shown = {"id": str(key.id), "key": secret, **_described(key)}
        return JSONResponse(shown, HTTPStatus.CREATED)

    async def _revoke(self, request: Request, identity: Identity) -> JSONResponse:
        schema, key_id = _place(request)
        actor = actor_of(request, identity, self._utc_now())
        key = await self._keys.revoke(schema, key_id, actor)
        return answer(_shown(key), "API key revoked; it is refused everywhere within 5 seconds")


def _place(request: Request) -> tuple[str, UUID]:
    """Read which key of which schema a path is about."""
    schema = request.path_params["schema"]
    require_open(schema)
    try:
        return schema, UUID(request.path_params["id"])
    except ValueError:
        raise NotFoundError(f"Schema {schema!r} has no key with that id.") from None


def _described(key: ApiKey) -> dict[str, Json]:
    return {
        "keyPrefix": key.prefix,
        "keyName": key.name,
        "keyType": key.type,
        "schemaName": key.schema,
        "createdAt": instant(key.created_at),
    }


def _shown(key: ApiKey) -> dict[str, Json]:
    return {
        "id": str(key.id),
        **_described(key),
        "expiresAt": instant(key.expires_at),
        "revokedAt": instant(key.revoked_at),
        "lastUsedAt": instant(key.last_used_at),
        "replacedBy": str(key.replaced_by) if key.replaced_by else None,
    }
