"""Who uses the console: operators by password and code, and holders of admin tokens."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from license_server.admin.operators import Operators, proven_hash
from license_server.admin.tokens import Tokens
from license_server.api.server import Caller
from license_server.desk import Desk, Vault
from license_server.errors import CredentialInvalid
from license_server.operators import NAME
from license_server.ports import SIGN_INS, SIGN_INS_BY_SOURCE, Throttle
from license_server.sessions import (
    OPERATORS,
    SEEN_RESOLUTION,
    Session,
    hash_of_cookie,
    new_cookie,
)
from license_server.stores import Repository, Transaction
from license_server.throttle import source_of
from license_server.web.requests import Request

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in.

    Attributes:
        caller: for the API.
        name: of the operator, or of the token.
        is_operator: it has a password; else it holds a token.
        has_own_password: it chose its password.
    """

    caller: Caller
    name: str
    is_operator: bool
    has_own_password: bool


class People:
    """Knows them by their sessions.

    Args:
        repository: where sessions, operators and tokens are.
        vault: opens what is sealed of operators.
        throttle: counts tries, rules `SIGN_INS` and `SIGN_INS_BY_SOURCE`.
    """

    def __init__(self, repository: Repository, vault: Vault, throttle: Throttle) -> None:
        self._repository = repository
        self._vault = vault
        self._throttle = throttle

    async def of_session(self, session_hash: bytes | None, now: datetime) -> Person | None:
        """Return who signed in with a session that is not over.

        A disabled operator or a revoked token is out at once, a changed role holds at once.
        """
        if session_hash is None:
            return None
        async with self._repository.transaction() as transaction:
            session = await transaction.sessions.find(session_hash)
            if session is None:
                return None
            person = await _person(transaction, session.subject, now)
            if person is None or session.is_over(OPERATORS, now):
                await transaction.sessions.end(session_hash)
                return None
            if now - session.seen_at >= SEEN_RESOLUTION:
                await transaction.sessions.mark_seen(session_hash, now)
            return person

    async def sign_in(self, request: Request, now: datetime) -> str:
        """Return the cookie of a new session of who knows what is asked for.

        Raises:
            CredentialInvalid: password, code or token are not right; the text tells no more.
            RateLimited: too many tries of this source, or under this name.
        """
        form = request.form
        await self._throttle.hit(SIGN_INS_BY_SOURCE, source_of(request.source))
        try:
            if token := form.get("token"):
                return await self._begin(request, now, lambda desk: _holder(desk, token))
            return await self._sign_in_by_password(request, form.get("name").lower(), now)
        except CredentialInvalid:
            _log.warning("auth.failed", client=request.source)
            raise

    async def sign_out(self, session_hash: bytes) -> None:
        """End a session."""
        async with self._repository.transaction() as transaction:
            await transaction.sessions.end(session_hash)

    async def sign_out_everywhere(self, person: Person, request: Request, now: datetime) -> None:
        """End all sessions of a person."""
        actor = person.caller.actor
        async with self._repository.transaction() as transaction:
            ended = await transaction.sessions.end_all(actor)
            desk = self._desk(transaction, actor, request, now)
            await desk.record("session.end_all", actor, None, {"sessions": ended})

    async def _sign_in_by_password(self, request: Request, name: str, now: datetime) -> str:
        form = request.form
        await self._throttle.hit(SIGN_INS, name if NAME.fullmatch(name) else "")
        async with self._repository.transaction() as transaction:
            operators = Operators(self._desk(transaction, "", request, now))
            password_hash = await operators.password_hash(name)
        proven = await proven_hash(form.exactly("password"), password_hash)

        async def operator_id(desk: Desk) -> str:
            return (await Operators(desk).require(name, proven, form.get("code"))).operator_id

        return await self._begin(request, now, operator_id)

    async def _begin(
        self, request: Request, now: datetime, identify: Callable[[Desk], Awaitable[str]]
    ) -> str:
        """Begin a session of whom `identify` names, and return its cookie."""
        cookie = new_cookie()
        async with self._repository.transaction() as transaction:
            subject = await identify(self._desk(transaction, "", request, now))
            await transaction.sessions.add(Session(hash_of_cookie(cookie), subject, now, now))
            desk = self._desk(transaction, subject, request, now)
            await desk.record("session.begin", subject, None, None)
        return cookie

    def _desk(self, transaction: Transaction, actor: str, request: Request, now: datetime) -> Desk:
        return Desk(transaction, self._vault, actor, now, request.request_id)


async def _holder(desk: Desk, token: str) -> str:
    return (await Tokens(desk).require(token)).token_id


async def _person(transaction: Transaction, subject: str, now: datetime) -> Person | None:
    """Return who a session belongs to, while it may still do something."""
    operator = await transaction.operators.look_up(subject)
    if operator is not None:
        if operator.disabled_at is not None:
            return None
        caller = Caller(subject, operator.role)
        return Person(
            caller, operator.name, is_operator=True,
            has_own_password=operator.password_changed_at is not None,
        )  # fmt: skip
    token = await transaction.tokens.look_up(subject)
    if token is None or token.revoked_at is not None or now >= token.expires_at:
        return None
    return Person(Caller(subject, token.role), token.name, is_operator=False, has_own_password=True)
