"""The console as one ASGI application, before the admin API.

A request is served in this order, and each step needs the one before:

1. Files and the sign-in page are for everybody.
2. The session of the cookie tells who asks; it is looked up for every request.
3. A form must carry the token of this browser's pages.
4. The page asks the API in the person's name; the API judges the role.
5. What is refused is shown in the form's page again, with what was typed.

A form whose session has ended is kept on the sign-in page, and shown again behind it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from license_server.api.endpoints import AnyEndpoint
from license_server.api.server import AdminApi
from license_server.console.client import Api, as_signed_in
from license_server.console.people import People, Person
from license_server.console.table import DONE, PAGES
from license_server.console.visits import BASE, Answer, Visit
from license_server.desk import Vault
from license_server.errors import (
    CredentialInvalid,
    LicenseServerError,
    NotFound,
    RateLimited,
)
from license_server.middleware import RawResponse
from license_server.ports import Throttle
from license_server.problems import KINDS, MethodNotAllowed
from license_server.sessions import hash_of_cookie
from license_server.stores import Repository
from license_server.web import answers
from license_server.web.cookies import (
    Cookies,
    ask_again,
    is_from_elsewhere,
    is_own_form,
    require_own_form,
    token_of,
)
from license_server.web.kept import kept_form, still_kept, target_of, to_keep
from license_server.web.pages import FOR_THE_FORM, Page, Pages, serve
from license_server.web.rendering import environment
from license_server.web.requests import Fields, Request
from license_server.web.views import FRESH, Forms, Typed

_SIGN_IN: Final = f"{BASE}/sign-in"
_SIGN_OUT: Final = f"{BASE}/sign-out"
_HOME: Final = f"{BASE}/"
_STATIC: Final = f"{BASE}/static/"


class Console:
    """Serves the console, and hands on what is not its own.

    Args:
        app: answers everything else.
        endpoints: of the admin API.
        repository: where the work is done.
        vault: blinds and seals.
        throttle: counts tries to sign in.
        now: the wall clock.
    """

    def __init__(
        self,
        app: ASGIApp,
        endpoints: Sequence[AnyEndpoint],
        repository: Repository,
        vault: Vault,
        throttle: Throttle,
        now: Callable[[], datetime],
    ) -> None:
        self._app = app
        self._api = AdminApi(endpoints, repository, vault, as_signed_in, now)
        self._roles = {endpoint.name: endpoint.roles for endpoint in endpoints}
        self._people = People(repository, vault, throttle)
        self._now = now
        self._cookies = Cookies("console")
        self._templates = environment("license_server.console", BASE, DONE=DONE)
        self._pages = Pages(BASE, PAGES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            LicenseServerError: whatever is wrong with it; the edge renders that.
        """
        path = scope["path"]
        if path in {"/", BASE}:
            await answers.send_response(send, answers.redirection(_HOME))
        elif path.startswith(_HOME):
            await serve(scope, receive, send, self._answer)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, request: Request) -> Answer:
        if request.path.startswith(_STATIC):
            return answers.require_static_file(request.path.removeprefix(_STATIC))
        if request.path == _SIGN_IN and request.method == "POST":
            return await self._sign_in(request)
        person = await self._people.of_session(self._cookies.session_hash(request), self._now())
        if request.path == _SIGN_OUT and request.method == "POST":
            return await self._sign_out(request, person)
        if person is None:
            return self._ask_to_sign_in(request)
        if request.path == _SIGN_IN:
            return answers.redirection(target_of(request.query, BASE))
        return await self._visit(request, person)

    async def _visit(self, request: Request, person: Person) -> Answer:
        cookie = self._cookies.session(request) or ""
        page, visit = self._page(request, person, cookie)
        if request.method == "GET":
            return await page.show(visit)
        require_own_form(request, cookie)
        if page.submit is None:
            raise MethodNotAllowed("GET, HEAD")
        try:
            return await page.submit(visit)
        except FOR_THE_FORM as problem:
            return await page.show(visit.again(problem))

    def _page(self, request: Request, person: Person, cookie: str) -> tuple[Page[Visit], Visit]:
        page, values = self._pages.find(request.path)
        return page, Visit(
            request=request,
            path=values,
            person=person,
            api=Api(self._api, person.caller, request.request_id),
            roles=self._roles,
            templates=self._templates,
            form_token=token_of(cookie),
            now=self._now(),
        )

    async def _sign_in(self, request: Request) -> Answer:
        visitor, _ = self._cookies.visitor(request)
        target = target_of(request.form, BASE)
        try:
            require_own_form(request, visitor)
            cookie = await self._people.sign_in(request, self._now())
        except (CredentialInvalid, RateLimited) as problem:
            before = Typed(request.form, problem)
            return self._sign_in_page(request, target, still_kept(request.form), before)
        old = self._cookies.session_hash(request)
        if old is not None:
            await self._people.sign_out(old)
        given = self._cookies.give(cookie)
        kept = kept_form(request.form)
        if not kept.pairs:
            return answers.redirection(target, [given])
        try:
            answer = await self._resumed(request.moved_to(target), kept, cookie)
        except LicenseServerError:  # such as of a role that may not see that page any more
            return answers.redirection(target, [given])
        return replace(answer, headers=(*answer.headers, given))

    async def _resumed(self, request: Request, kept: Fields, cookie: str) -> RawResponse:
        """Show the page of a form that came after its session had ended, with what was typed."""
        person = await self._people.of_session(hash_of_cookie(cookie), self._now())
        if person is None:
            raise CredentialInvalid("nobody is signed in")
        page, visit = self._page(request, person, cookie)
        answer = await page.show(replace(visit, before=Typed(kept, is_resumed=True)))
        if not isinstance(answer, RawResponse):
            raise NotFound("there is no such form")
        return answer

    async def _sign_out(self, request: Request, person: Person | None) -> Answer:
        session_hash = self._cookies.session_hash(request)
        if person is not None and session_hash is not None:
            require_own_form(request, self._cookies.session(request))
            if request.form.has("everywhere"):
                await self._people.sign_out_everywhere(person, request, self._now())
            else:
                await self._people.sign_out(session_hash)
        return answers.redirection(_SIGN_IN, [self._cookies.take()])

    def _ask_to_sign_in(self, request: Request) -> Answer:
        if is_from_elsewhere(request):
            return ask_again()
        if request.path == _SIGN_IN:
            return self._sign_in_page(request, target_of(request.query, BASE), Fields())
        if request.method == "GET":
            to = f"{_SIGN_IN}?{answers.query(next=request.address)}"
            if request.is_by_script:
                return answers.redirection_of_script(to)
            return answers.redirection(to)
        is_own = is_own_form(request, self._cookies.session(request))
        kept = to_keep(request.form) if is_own else Fields()
        return self._sign_in_page(request, request.address, kept, status=HTTPStatus.UNAUTHORIZED)

    def _sign_in_page(
        self,
        request: Request,
        target: str,
        kept: Fields,
        before: Typed = FRESH,
        status: int = HTTPStatus.OK,
    ) -> RawResponse:
        visitor, headers = self._cookies.visitor(request)
        text = self._templates.get_template("sign_in.html").render(
            page=Forms(token_of(visitor), before), kept=kept.pairs, target=target
        )
        if before.problem is not None:
            status = KINDS[before.problem.code].status
        return answers.page(text, status, headers)
