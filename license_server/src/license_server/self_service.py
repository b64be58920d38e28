"""What customers do themselves over HTTP: start a trial, recover a key.

The answers tell nothing of who is known here: whatever the address, the same status, the same
body, and the same work, as all that depends on the address is done later by the worker.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from html import escape
from http import HTTPStatus
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.types import Receive, Scope

from license_server.admin.licenses import Issued
from license_server.admin.recovery import redeem, request_recovery
from license_server.admin.trials import request_trial
from license_server.desk import Desk, Vault
from license_server.emails import Email
from license_server.errors import FieldError, InvalidField, NotFound, RateLimited
from license_server.messages import MAX_BODY_BYTES
from license_server.middleware import RawResponse
from license_server.ports import MAILS_BY_SOURCE, MAILS_TO_ADDRESS, Throttle
from license_server.request_bodies import read_body, require_json
from license_server.stores import Repository, Transaction
from license_server.strict_json import read_object
from license_server.throttle import source_of

ACTOR_CUSTOMER: Final = "customer"
RECOVERY_PREFIX: Final = "/v1/recovery/"

ACCEPTED: Final = b'{"message":"If this can be done for the address, a mail is on its way to it."}'
_PAGE_HEADERS: Final = (
    (b"content-type", b"text/html; charset=utf-8"),
    (
        b"content-security-policy",
        b"default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
)
_BUTTON: Final = """<p>Press the button for a new license key. The old one goes on for 7 days.</p>
<form method="post"><button>Get a new license key</button></form>"""

_Ask = Callable[[Desk, Email, str], Awaitable[None]]
Handler = Callable[[Scope, Receive], Awaitable[RawResponse | None]]


class SelfServiceRequest(BaseModel):
    """Who asks for which product; members that it does not know are ignored.

    Mirrors `wire/schemas/self-service-request.json`.
    """

    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)

    email: str = Field(max_length=320, description="a string of at most 320 characters", repr=False)
    product: str = Field(
        pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", description="1 to 64 of a-z 0-9 . _ -"
    )


def read_request(body: bytes) -> tuple[Email, str]:
    """Parse who asks for which product.

    Raises:
        MalformedJson: the body is no strict JSON object.
        InvalidField: a member is missing or malformed.
    """
    try:
        request = SelfServiceRequest.model_validate(read_object(body))
    except ValidationError as error:
        fields = SelfServiceRequest.model_fields
        names = [str(detail["loc"][0]) for detail in error.errors(include_input=False)]
        raise InvalidField(
            *(FieldError(name, f"{fields[name].description} is expected") for name in names)
        ) from error
    return Email.parse(request.email), request.product


class SelfService:
    """Answers customers.

    Args:
        repository: where requests are noted.
        vault: blinds and seals.
        throttle: counts mails, rules `MAILS_TO_ADDRESS` and `MAILS_BY_SOURCE`.
        now: the wall clock.
    """

    def __init__(
        self,
        repository: Repository,
        vault: Vault,
        throttle: Throttle,
        now: Callable[[], datetime],
    ) -> None:
        self._repository = repository
        self._vault = vault
        self._throttle = throttle
        self._now = now

    def routes(self) -> dict[str, dict[str, Handler]]:
        """Return the handlers by path and method."""
        return {
            "/v1/trials": {"POST": partial(self._note, request_trial)},
            "/v1/recovery": {"POST": partial(self._note, request_recovery)},
        }

    def link_handlers(self) -> dict[str, Handler]:
        """Return the handlers of a link, by method."""
        return {"GET": self._show_button, "HEAD": self._show_button, "POST": self._redeem}

    async def _note(self, ask: _Ask, scope: Scope, receive: Receive) -> RawResponse | None:
        require_json(scope)
        body = await read_body(receive, MAX_BODY_BYTES)
        if body is None:
            return None
        email, product = read_request(body)
        await self.note(scope, email, lambda desk: ask(desk, email, product))
        return RawResponse(HTTPStatus.ACCEPTED, _json_headers(ACCEPTED), ACCEPTED)

    async def note(
        self, scope: Scope, email: Email, ask: Callable[[Desk], Awaitable[None]]
    ) -> None:
        """Note what somebody asks for by mail, unless too much was asked for: nobody is told."""
        with suppress(RateLimited):  # the answer must not tell that mails went before
            await self._count(scope, email)
            async with self._repository.transaction() as transaction:
                await ask(self.desk(transaction, scope))

    def desk(self, transaction: Transaction, scope: Scope) -> Desk:
        """Return where a customer's request is worked on."""
        request_id = scope["state"].get("request_id")
        return Desk(transaction, self._vault, ACTOR_CUSTOMER, self._now(), request_id)

    async def _count(self, scope: Scope, email: Email) -> None:
        source = scope["client"][0] if scope["client"] else ""
        await self._throttle.hit(MAILS_BY_SOURCE, source_of(source))
        index = self._vault.peppers.current.email_index(email)
        await self._throttle.hit(MAILS_TO_ADDRESS, index.hex())

    async def _show_button(self, _scope: Scope, _receive: Receive) -> RawResponse:
        """Show the same page for every link: only pressing the button asks the database."""
        return _page(HTTPStatus.OK, "A new license key", _BUTTON)

    async def _redeem(self, scope: Scope, receive: Receive) -> RawResponse | None:
        if await read_body(receive, MAX_BODY_BYTES) is None:
            return None
        token = scope["path"].removeprefix(RECOVERY_PREFIX)
        try:
            async with self._repository.transaction() as transaction:
                made = await redeem(self.desk(transaction, scope), token)
        except NotFound as over:
            return _page(HTTPStatus.NOT_FOUND, "This link is over", f"<p>{escape(str(over))}</p>")
        return _page(HTTPStatus.OK, "Your new license key", _keys(made))


def _keys(made: Sequence[Issued]) -> str:
    lines = "".join(f"<p><code>{escape(issued.key)}</code></p>" for issued in made)
    return f"{lines}<p>This page shows it once: keep it in a safe place.</p>"


def _page(status: HTTPStatus, title: str, content: str) -> RawResponse:
    body = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f"<title>{title}</title></head><body><h1>{title}</h1>{content}</body></html>"
    ).encode()
    return RawResponse(status, (*_PAGE_HEADERS, (b"content-length", b"%d" % len(body))), body)


def _json_headers(body: bytes) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)))
