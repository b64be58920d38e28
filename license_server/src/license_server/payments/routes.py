"""Where payment providers knock."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from starlette.types import Receive, Scope

from license_server.desk import Desk, Vault
from license_server.errors import NotFound
from license_server.middleware import RawResponse
from license_server.payments import lemon_squeezy, paddle, stripe
from license_server.payments.events import Event
from license_server.payments.intake import take
from license_server.request_bodies import read_body
from license_server.stores import Repository

MAX_BODY_BYTES: Final = 256 * 1024

_TAKEN: Final = b'{"received":true}'
_READERS: Final = {
    stripe.PROVIDER: stripe.read,
    lemon_squeezy.PROVIDER: lemon_squeezy.read,
    paddle.PROVIDER: paddle.read,
}

_Read = Callable[[Mapping[str, str], bytes, Sequence[str], datetime], Event]
Handler = Callable[[Scope, Receive], Awaitable[RawResponse | None]]


class Payments:
    """Takes what providers tell.

    Args:
        repository: where it is noted and done.
        vault: blinds and seals.
        secrets: of each provider's messages, by its name; one without any is not listened to.
        now: the wall clock.
    """

    def __init__(
        self,
        repository: Repository,
        vault: Vault,
        secrets: Mapping[str, Sequence[str]],
        now: Callable[[], datetime],
    ) -> None:
        self._repository = repository
        self._vault = vault
        self._secrets = secrets
        self._now = now

    def routes(self) -> dict[str, dict[str, Handler]]:
        """Return the handlers by path and method."""
        return {
            f"/v1/payments/{provider}": {"POST": partial(self._take, provider, read)}
            for provider, read in _READERS.items()
        }

    async def _take(
        self, provider: str, read: _Read, scope: Scope, receive: Receive
    ) -> RawResponse | None:
        secrets = self._secrets.get(provider)
        if not secrets:
            raise NotFound("no secret of this provider is configured")
        body = await read_body(receive, MAX_BODY_BYTES)
        if body is None:
            return None
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        now = self._now()
        event = read(headers, body, secrets, now)
        async with self._repository.transaction() as transaction:
            request_id = scope["state"].get("request_id")
            await take(Desk(transaction, self._vault, provider, now, request_id), event)
        content_headers = (
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(_TAKEN)),
        )
        return RawResponse(200, content_headers, _TAKEN)
