"""The portal as one ASGI application, before the public API.

Whoever asks to sign in, for a trial or for a lost key gets the same answer: all that depends on
the address is done later, by the worker, and told by mail alone.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from license_server.admin.owners import Owners, OwnerView
from license_server.admin.recovery import request_recovery
from license_server.admin.sign_in_links import redeem_sign_in, request_sign_in
from license_server.admin.trials import request_trial
from license_server.desk import Desk
from license_server.emails import Email
from license_server.errors import FieldError, InvalidField, NotFound
from license_server.license_files import LoadIssuer
from license_server.middleware import RawResponse
from license_server.portal.own import DONE, PAGES
from license_server.portal.visits import BASE, Answer, Visit
from license_server.ports import OWN_CHANGES, Throttle
from license_server.problems import KINDS, MethodNotAllowed
from license_server.products import is_product_code
from license_server.self_service import SelfService
from license_server.sessions import (
    CUSTOMERS,
    SEEN_RESOLUTION,
    Session,
    hash_of_cookie,
    new_cookie,
)
from license_server.stores import Repository, Transaction
from license_server.throttle import REQUESTS, source_of
from license_server.web import answers
from license_server.web.cookies import (
    Cookies,
    ask_again,
    is_from_elsewhere,
    require_own_form,
    token_of,
)
from license_server.web.pages import FOR_THE_FORM, Pages, serve
from license_server.web.rendering import environment
from license_server.web.requests import Request
from license_server.web.views import FRESH, Forms, Typed

_HOME: Final = f"{BASE}/"
_SIGN_OUT: Final = f"{BASE}/sign-out"
_ENTER: Final = f"{BASE}/enter/"

Ask = Callable[[Desk, Email], Awaitable[None]]


class Portal:
    """Serves the portal and the server's public page, and hands on what is not its own.

    Args:
        app: answers everything else.
        repository: where licenses and sessions are.
        self_service: notes what is asked for by mail.
        throttle: counts requests by source and changes by owner.
        load_issuer: reads the key for license files.
        now: the wall clock.
    """

    def __init__(
        self,
        app: ASGIApp,
        repository: Repository,
        self_service: SelfService,
        throttle: Throttle,
        load_issuer: LoadIssuer,
        now: Callable[[], datetime],
    ) -> None:
        self._app = app
        self._repository = repository
        self._self_service = self_service
        self._throttle = throttle
        self._load_issuer = load_issuer
        self._now = now
        self._cookies = Cookies("portal")
        self._templates = environment("license_server.portal", BASE, DONE=DONE)
        self._pages = Pages(BASE, PAGES)
        self._asking: Mapping[str, Callable[[Request], Ask]] = {
            f"{BASE}/sign-in": lambda _request: request_sign_in,
            f"{BASE}/ask-trial": partial(_of_product, request_trial),
            f"{BASE}/recover": partial(_of_product, request_recovery),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            LicenseServerError: whatever is wrong with it; the edge renders that.
        """
        path = scope["path"]
        if path == BASE:
            await answers.send_response(send, answers.redirection(_HOME))
        elif path == "/" or path.startswith(_HOME):
            await serve(scope, receive, send, self._answer)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, request: Request) -> Answer:
        path, is_form = request.path, request.method == "POST"
        if path.startswith(f"{_HOME}static/"):
            return answers.require_static_file(path.removeprefix(f"{_HOME}static/"))
        await self._throttle.hit(REQUESTS, source_of(request.source))
        if path == "/":
            return self._public_page(request, "about.html")
        if path.startswith(_ENTER):
            return (
                await self._enter(request) if is_form else self._public_page(request, "enter.html")
            )
        if path in self._asking and is_form:
            return await self._ask(request, self._asking[path])
        if path == _SIGN_OUT and is_form:
            return await self._sign_out(request)
        return await self._visit(request)

    def _public_page(
        self, request: Request, template: str, before: Typed = FRESH, **values: object
    ) -> RawResponse:
        visitor, headers = self._cookies.visitor(request)
        text = self._templates.get_template(template).render(
            page=Forms(token_of(visitor), before), owner=None, query=request.query, **values
        )
        problem = before.problem
        return answers.page(text, KINDS[problem.code].status if problem else 200, headers)

    async def _ask(self, request: Request, asked: Callable[[Request], Ask]) -> Answer:
        try:
            visitor, _ = self._cookies.visitor(request)
            require_own_form(request, visitor)
            email, ask = Email.parse(request.form.get("email")), asked(request)
        except FOR_THE_FORM as problem:
            return self._public_page(request, "front.html", Typed(request.form, problem))
        await self._self_service.note(request.scope, email, lambda desk: ask(desk, email))
        return self._public_page(request, "asked.html")

    async def _enter(self, request: Request) -> Answer:
        visitor, _ = self._cookies.visitor(request)
        token = request.path.removeprefix(_ENTER)
        try:
            require_own_form(request, visitor)
            async with self._repository.transaction() as transaction:
                desk = self._self_service.desk(transaction, request.scope)
                owner_id = await redeem_sign_in(desk, token)
                await desk.record("owner.sign_in", owner_id, None, None)
                cookie = new_cookie()
                session = Session(hash_of_cookie(cookie), owner_id, desk.now, desk.now)
                await transaction.sessions.add(session)
        except (NotFound, *FOR_THE_FORM) as problem:
            return self._public_page(request, "enter.html", Typed(request.form, problem))
        return answers.redirection(f"{BASE}/licenses", [self._cookies.give(cookie)])

    async def _sign_out(self, request: Request) -> Answer:
        session_hash = self._cookies.session_hash(request)
        if session_hash is not None:
            require_own_form(request, self._cookies.session(request))
            async with self._repository.transaction() as transaction:
                await transaction.sessions.end(session_hash)
        return answers.redirection(_HOME, [self._cookies.take()])

    async def _visit(self, request: Request) -> Answer:
        owner = await self._owner(request, self._cookies.session_hash(request))
        if owner is None:
            return self._front(request)
        if request.path == _HOME:
            return answers.redirection(f"{BASE}/licenses")
        if request.method == "GET":
            return await self._shown(request, owner)
        require_own_form(request, self._cookies.session(request))
        try:
            return await self._submitted(request, owner)
        except FOR_THE_FORM as problem:
            return await self._shown(request, owner, Typed(request.form, problem))

    def _front(self, request: Request) -> Answer:
        if is_from_elsewhere(request):
            return ask_again()
        if request.path != _HOME:
            return answers.redirection(f"{_HOME}?done=signed-out")
        return self._public_page(request, "front.html")

    async def _shown(self, request: Request, owner: OwnerView, before: Typed = FRESH) -> Answer:
        page, values = self._pages.find(request.path)
        async with self._repository.transaction() as transaction:
            visit = self._visit_of(request, values, owner, transaction)
            return await page.show(replace(visit, before=before))

    async def _submitted(self, request: Request, owner: OwnerView) -> Answer:
        page, values = self._pages.find(request.path)
        if page.submit is None:
            raise MethodNotAllowed("GET, HEAD")
        await self._throttle.hit(OWN_CHANGES, owner.owner_id)
        async with self._repository.transaction() as transaction:
            return await page.submit(self._visit_of(request, values, owner, transaction))

    def _visit_of(
        self,
        request: Request,
        values: Mapping[str, str],
        owner: OwnerView,
        transaction: Transaction,
    ) -> Visit:
        return Visit(
            request=request,
            path=values,
            desk=self._self_service.desk(transaction, request.scope),
            owner=owner,
            load_issuer=self._load_issuer,
            templates=self._templates,
            form_token=token_of(self._cookies.session(request) or ""),
        )

    async def _owner(self, request: Request, session_hash: bytes | None) -> OwnerView | None:
        """Return who signed in with a session that is not over; asks nobody for who has none."""
        if session_hash is None:
            return None
        async with self._repository.transaction() as transaction:
            session = await transaction.sessions.find(session_hash)
            if session is None:
                return None
            desk = self._self_service.desk(transaction, request.scope)
            owner = await _found(desk, session.subject)
            if owner is None or session.is_over(CUSTOMERS, desk.now):
                await transaction.sessions.end(session_hash)
                return None
            if desk.now - session.seen_at >= SEEN_RESOLUTION:
                await transaction.sessions.mark_seen(session_hash, desk.now)
            return owner


async def _found(desk: Desk, owner_id: str) -> OwnerView | None:
    """Return an owner who was not erased."""
    try:
        owner = await Owners(desk).get(owner_id)
    except NotFound:
        return None
    return owner if owner.erased_at is None else None


def _of_product(ask: Callable[[Desk, Email, str], Awaitable[None]], request: Request) -> Ask:
    code = request.form.get("product")
    if not is_product_code(code):
        raise InvalidField(FieldError("product", "the code of a product is expected"))
    return lambda desk, email: ask(desk, email, code)
