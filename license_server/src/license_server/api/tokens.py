"""Admin tokens over HTTP."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Final

from pydantic import Field

from license_server.admin.tokens import Tokens
from license_server.api.endpoints import (
    OWNERS,
    AnyEndpoint,
    Call,
    Document,
    Endpoint,
    Members,
    Nothing,
    Reply,
)
from license_server.api.members import PrintableName, Seconds, Shown, seconds_of, told_span
from license_server.stores import TokenRecord
from license_server.tokens import LIFETIME, LONGEST_LIFE, Role

_Life = Annotated[Seconds, told_span(timedelta(seconds=1), LONGEST_LIFE)]


class NewToken(Members):
    """A token to be made."""

    name: PrintableName
    role: Role
    lasts_seconds: _Life = seconds_of(LIFETIME)


class TokenDocument(Document):
    """A token, without the token."""

    id: str
    name: str
    prefix: str
    role: Role
    created_at: Shown
    expires_at: Shown
    last_used_at: Shown | None
    revoked_at: Shown | None

    @classmethod
    def of(cls, record: TokenRecord) -> "TokenDocument":
        """Return what is answered of a token."""
        return cls(
            id=record.token_id,
            name=record.name,
            prefix=record.prefix,
            role=record.role,
            created_at=record.created_at,
            expires_at=record.expires_at,
            last_used_at=record.last_used_at,
            revoked_at=record.revoked_at,
        )


class MadeToken(Document):
    """A new token, shown this once."""

    id: str
    name: str
    prefix: str
    role: Role
    expires_at: Shown
    token: str = Field(repr=False)


class TokenList(Document):
    """All tokens, oldest first."""

    items: tuple[TokenDocument, ...]


async def _create(call: Call[Nothing, NewToken]) -> Reply:
    body = call.body
    lasts = timedelta(seconds=body.lasts_seconds)
    made = await Tokens(call.desk).create(body.name, body.role, lasts)
    document = MadeToken(
        id=made.token_id,
        name=made.name,
        prefix=made.prefix,
        role=made.role,
        expires_at=made.expires_at,
        token=made.text,
    )
    return Reply(document)


async def _list(call: Call[Nothing, Nothing]) -> Reply:
    records = await Tokens(call.desk).all()
    return Reply(TokenList(items=tuple(map(TokenDocument.of, records))))


async def _revoke(call: Call[Nothing, Nothing]) -> Reply:
    return Reply(TokenDocument.of(await Tokens(call.desk).revoke(call.path["token_id"])))


_ALL: Final = "/v1/admin/tokens"

ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    Endpoint(
        "GET", _ALL, "token.list", "List all admin tokens", OWNERS, Nothing, Nothing, TokenList,
        _list,
    ),
    Endpoint(
        "POST", _ALL, "token.create", "Make an admin token and answer it, this once", OWNERS,
        Nothing, NewToken, MadeToken, _create, HTTPStatus.CREATED,
    ),
    Endpoint(
        "POST", f"{_ALL}/{{token_id}}/revoke", "token.revoke", "End a token at once", OWNERS,
        Nothing, Nothing, TokenDocument, _revoke,
    ),
)  # fmt: skip
