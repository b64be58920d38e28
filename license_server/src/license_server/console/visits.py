"""A visit: one request of who signed in, with all that a page needs to answer it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from typing import Final

from jinja2 import Environment

from license_server.console.client import Api
from license_server.console.people import Person
from license_server.errors import LicenseServerError
from license_server.middleware import RawResponse
from license_server.problems import KINDS
from license_server.tokens import Role
from license_server.web import pages
from license_server.web.answers import page, redirection
from license_server.web.requests import Fields, Request
from license_server.web.views import FRESH, Forms, Typed

BASE: Final = "/console"

Answer = pages.Answer


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of a person.

    Attributes:
        request: what the browser sent.
        path: what stands in the address's braces.
        person: who signed in.
        api: what that person may do.
        roles: who may ask for each endpoint of the API, by its name.
        templates: of all pages.
        form_token: what forms carry.
        now: the server's time.
        before: what was typed, if the page is shown again.
    """

    request: Request
    path: Mapping[str, str]
    person: Person
    api: Api
    roles: Mapping[str, frozenset[Role]]
    templates: Environment
    form_token: str = field(repr=False)
    now: datetime
    before: Typed = FRESH

    @property
    def form(self) -> Fields:
        """What the browser sent."""
        return self.request.form

    @property
    def once(self) -> str | None:
        """What names this form, so that it does its work once."""
        return self.form.given("once")

    @property
    def version(self) -> int | None:
        """What the browser saw of what it changes."""
        text = self.form.get("version")
        return int(text) if text.isascii() and text.isdigit() else None

    def may(self, endpoint: str) -> bool:
        """Tell whether the person's role may ask for an endpoint."""
        return self.person.caller.role in self.roles[endpoint]

    def render(self, template: str, **values: object) -> RawResponse:
        """Answer with a page."""
        problem = self.before.problem
        status = HTTPStatus.OK if problem is None else KINDS[problem.code].status
        text = self.templates.get_template(template).render(
            page=Forms(self.form_token, self.before),
            person=self.person,
            now=self.now,
            may=self.may,
            here=self.request.path,
            query=self.request.query,
            done=self.request.query.get("done"),
            **values,
        )
        return page(text, status)

    def redirect(self, path: str) -> RawResponse:
        """Send the browser to another page of the console."""
        return redirection(f"{BASE}{path}")

    def again(self, problem: LicenseServerError) -> "Visit":
        """Return the visit of the page of a form that was refused."""
        return replace(self, before=Typed(self.form, problem))
