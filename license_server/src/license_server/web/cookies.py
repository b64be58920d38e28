"""The cookies of a site: one of its visitors, one of those who signed in.

A visitor's cookie holds the forms of the page on which one signs in; at sign-in another one is
drawn, so that nobody can be made to sign in under a known one (session fixation). They have
different names: a request from another site comes without cookies (SameSite=Strict), and the
visitor's cookie that its answer brings must not end a session.
"""

from dataclasses import dataclass

from license_server.errors import CredentialInvalid
from license_server.middleware import RawResponse
from license_server.sessions import form_token, hash_of_cookie, is_form_token, new_cookie
from license_server.web.answers import drop_cookie, page, set_cookie
from license_server.web.requests import Request

FORM_TOKEN = "csrf"  # noqa: S105 - the name of a field
"""The field of every form that a form token is in."""

_AGAIN = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta http-equiv="refresh" content="0"><title>One moment</title></head>'
    '<body><p><a href="">Go on</a></p></body></html>'
)


@dataclass(frozen=True, slots=True)
class Cookies:
    """The names of a site's cookies, `__Host-` before each.

    Attributes:
        site: such as `console`; hosts share their cookies between all ports.
    """

    site: str

    @property
    def session_name(self) -> str:
        """Of who signed in."""
        return f"__Host-{self.site}"

    @property
    def visitor_name(self) -> str:
        """Of everyone."""
        return f"__Host-{self.site}-visitor"

    def session(self, request: Request) -> str | None:
        """Return the cookie of a session, whether it is over or not."""
        return request.cookies.get(self.session_name)

    def session_hash(self, request: Request) -> bytes | None:
        """Return what stands for it in the database."""
        cookie = self.session(request)
        return None if cookie is None else hash_of_cookie(cookie)

    def visitor(self, request: Request) -> tuple[str, tuple[tuple[bytes, bytes], ...]]:
        """Return a visitor's cookie, and the header that gives it to who has none."""
        known = request.cookies.get(self.visitor_name)
        if known is not None:
            return known, ()
        drawn = new_cookie()
        return drawn, (set_cookie(self.visitor_name, drawn),)

    def give(self, cookie: str) -> tuple[bytes, bytes]:
        """Return the header that signs a browser in."""
        return set_cookie(self.session_name, cookie)

    def take(self) -> tuple[bytes, bytes]:
        """Return the header that signs a browser out."""
        return drop_cookie(self.session_name)


def token_of(cookie: str) -> str:
    """Return what the forms of a browser carry."""
    return form_token(cookie)


def is_own_form(request: Request, cookie: str | None) -> bool:
    """Tell whether a form came from a page that this browser was given."""
    return cookie is not None and is_form_token(request.form.get(FORM_TOKEN), cookie)


def require_own_form(request: Request, cookie: str | None) -> None:
    """Do nothing if a form came from a page that this browser was given.

    Raises:
        CredentialInvalid: it did not, or the browser takes no cookies.
    """
    if not is_own_form(request, cookie):
        raise CredentialInvalid(
            "this form is not one of this browser's pages, or the browser keeps no cookies: "
            "open the page again and send its form"
        )


def is_from_elsewhere(request: Request) -> bool:
    """Tell whether a link on another site led here: then a signed-in browser sent no cookie."""
    return request.method == "GET" and request.header(b"sec-fetch-site") == "cross-site"


def ask_again() -> RawResponse:
    """Answer with a page that makes the browser ask again, from this site: with its cookies."""
    return page(_AGAIN)
