"""Admin tokens."""

from collections.abc import Sequence
from datetime import timedelta

from license_server.desk import Desk
from license_server.errors import CredentialInvalid, NotFound, StateConflict
from license_server.stores import TokenRecord
from license_server.tokens import AdminToken, Role, hash_of_token

_USE_RESOLUTION = timedelta(minutes=1)


class Tokens:
    """Makes, judges and revokes admin tokens.

    Args:
        desk: where the work is done.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._store = desk.transaction.tokens

    async def create(self, name: str, role: Role, lasts: timedelta) -> AdminToken:
        """Make a token; only its hash is kept.

        Raises:
            InvalidField: the name or the length of its life.
        """
        token = AdminToken.generate(name, role, lasts, self._desk.now)
        await self._store.add(token)
        state = {"role": role.value, "expires_at": int(token.expires_at.timestamp())}
        await self._desk.record("token.create", token.token_id, None, state)
        return token

    async def require(self, text: str) -> TokenRecord:
        """Return the token that `text` is, and remember that it was used.

        Raises:
            CredentialInvalid: it is malformed, unknown, expired or revoked.
        """
        token_hash = hash_of_token(text)
        record = None if token_hash is None else await self._store.find(token_hash)
        now = self._desk.now
        if record is None or record.revoked_at is not None or now >= record.expires_at:
            raise CredentialInvalid("the token is unknown, expired or revoked: make a new one")
        if record.last_used_at is None or now - record.last_used_at >= _USE_RESOLUTION:
            await self._store.mark_used(record.token_id, now)
        return record

    async def all(self) -> Sequence[TokenRecord]:
        """Return all tokens, oldest first."""
        return await self._store.all()

    async def revoke(self, token_id: str) -> TokenRecord:
        """End a token at once.

        Raises:
            NotFound: there is none of this id.
            StateConflict: it is revoked already.
        """
        record = await self._store.get(token_id)
        if record is None:
            raise NotFound("there is no token of this id")
        if record.revoked_at is not None:
            raise StateConflict("this token is revoked already")
        await self._store.revoke(token_id, self._desk.now)
        await self._desk.record("token.revoke", token_id, None, None)
        revoked = await self._store.get(token_id)
        return revoked or record
