"""A visit: one request of a customer who signed in, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from jinja2 import Environment

from license_server.admin.licenses import Licenses, LicenseView
from license_server.admin.owners import OwnerView
from license_server.desk import Desk
from license_server.errors import NotFound
from license_server.license_files import LoadIssuer
from license_server.middleware import RawResponse
from license_server.problems import KINDS
from license_server.web import pages
from license_server.web.answers import page, redirection
from license_server.web.requests import Fields, Request
from license_server.web.views import FRESH, Forms, Typed

BASE: Final = "/portal"


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of a customer.

    Attributes:
        request: what the browser sent.
        path: what stands in the address's braces.
        desk: where its work is done; it commits when the page is made.
        owner: who signed in.
        load_issuer: reads the key for license files.
        templates: of all pages.
        form_token: what forms carry.
        before: what was typed, if the page is shown again.
    """

    request: Request
    path: Mapping[str, str]
    desk: Desk
    owner: OwnerView
    load_issuer: LoadIssuer = field(repr=False)
    templates: Environment
    form_token: str = field(repr=False)
    before: Typed = FRESH

    @property
    def form(self) -> Fields:
        """What the browser sent."""
        return self.request.form

    async def license(self) -> LicenseView:
        """Return the license that the address names.

        Raises:
            NotFound: there is none of this id, or it is somebody else's: nobody learns which.
        """
        view = await Licenses(self.desk).get(self.path["license_id"])
        if view.owner_id != self.owner.owner_id:
            raise NotFound("there is no license of this id")
        return view

    def render(self, template: str, **values: object) -> RawResponse:
        """Answer with a page."""
        text = self.templates.get_template(template).render(
            page=Forms(self.form_token, self.before),
            owner=self.owner,
            now=self.desk.now,
            done=self.request.query.get("done"),
            **values,
        )
        problem = self.before.problem
        return page(text) if problem is None else page(text, KINDS[problem.code].status)

    def redirect(self, path: str) -> RawResponse:
        """Send the browser to another page of the portal."""
        return redirection(f"{BASE}{path}")


Answer = pages.Answer
