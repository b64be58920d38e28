"""What went wrong, as a page: the same words as the problem document, for people."""

from functools import cache
from typing import Final

from jinja2 import Template
from starlette.types import Scope

from license_server.middleware import RawResponse
from license_server.problems import KINDS, problem_of
from license_server.web.answers import page
from license_server.web.rendering import environment

SITES: Final = ("/console", "/portal")
"""Where people are, in front of browsers."""

_HEADERS: Final = (b"allow", b"retry-after")


def site_of(scope: Scope) -> str | None:
    """Return the site that a request is for; None = it is one of a program."""
    return next((site for site in SITES if scope["path"].startswith(f"{site}/")), None)


def failure_page(error: Exception, scope: Scope, problem: RawResponse) -> RawResponse:
    """Return the page of an error.

    Args:
        error: what a request raised.
        scope: of the request.
        problem: the same as a problem document; its status and headers hold.
    """
    code, detail = problem_of(error)
    text = _template(site_of(scope) or "").render(
        title=KINDS[code].title,
        detail=detail,
        request_id=scope["state"]["request_id"],
        is_fault=problem.status >= 500,  # noqa: PLR2004 - the class of statuses that are ours
    )
    headers = [(name, value) for name, value in problem.headers if name in _HEADERS]
    return page(text, problem.status, headers)


@cache
def _template(site: str) -> Template:
    return environment("license_server.web", site).get_template("failed.html")
