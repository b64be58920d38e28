"""A gate in front of a WSGI application: it answers while the license is usable.

license = require_license(product="my-program", trust=TRUST)
app = LicenseGate(app, license, always_open=("/health",))
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from license_client._status import PROBLEM_TYPE, problem_of
from license_client._watch import License

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class LicenseGate:
    """A WSGI application that hands requests on while the license is usable.

    Args:
        app: gets the requests.
        license: a watch over the license; each request reads its `status`.
        always_open: beginnings of paths that are handed on in any case.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        license: License,  # noqa: A002 - the word that fits, and nobody needs the builtin here
        always_open: Sequence[str] = (),
    ) -> None:
        self._app = app
        self._license = license
        self._always_open = tuple(always_open)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Hand a request on, or answer that the gate is closed."""
        status = self._license.status
        path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
        if status.usable or path.startswith(self._always_open):
            return self._app(environ, start_response)
        body = problem_of(status)
        headers = [
            ("Content-Type", PROBLEM_TYPE),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        start_response("403 Forbidden", headers)
        return [body]
