"""What `/rest/v1` refuses: PostgREST's codes, and the status of each.

The code is the SQLSTATE when PostgreSQL raised the error, `PGRSTnnn` where PostgREST has one
(docs.postgrest.org, "Errors"), else `DBAPInnn`. One table a kind turns it into a status.
"""

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

STATUS: Final = MappingProxyType(
    {
        "PGRST001": 503,
        "PGRST003": 503,
        "PGRST100": 400,
        "PGRST101": 405,
        "PGRST102": 400,
        "PGRST103": 416,
        "PGRST105": 405,
        "PGRST106": 406,
        "PGRST107": 406,
        "PGRST108": 400,
        "PGRST114": 400,
        "PGRST115": 400,
        "PGRST116": 406,
        "PGRST117": 405,
        "PGRST118": 400,
        "PGRST122": 400,
        "PGRST123": 400,
        "PGRST124": 400,
        "PGRST125": 404,
        "PGRST127": 400,
        "PGRST128": 400,
        "PGRST200": 400,
        "PGRST201": 300,
        "PGRST202": 404,
        "PGRST203": 300,
        "PGRST204": 400,
        "PGRST205": 404,
        "DBAPI400": 400,
        "DBAPI401": 414,
        "DBAPI402": 504,
        "DBAPI410": 400,
        "DBAPI420": 400,
        "DBAPI430": 413,
        "DBAPI431": 400,
        "DBAPI432": 413,
        "DBAPI433": 408,
    }
)

_SQLSTATE_STATUS: Final = MappingProxyType(
    {
        "08": 503,  # connection
        "09": 500,  # triggered action
        "0L": 403,  # grantor
        "0P": 403,  # role
        "21000": 500,  # more than one row from a subquery
        "23503": 409,  # foreign key
        "23505": 409,  # unique
        "25": 500,  # transaction state
        "25006": 405,  # a write in a READ ONLY transaction
        "28": 403,  # authorization
        "2D": 500,  # transaction end
        "38": 500,  # external routine
        "39": 500,
        "3B": 500,  # savepoint
        "40": 500,  # serialization, deadlock
        "42501": 403,  # privilege
        "42883": 404,  # no such function or operator
        "42P01": 404,  # no such table
        "42P17": 500,  # a definition that contains itself
        "53": 503,  # resources
        "53400": 500,  # configuration limit
        "54": 500,  # too complex
        "55": 500,  # state of the object
        "55P03": 503,  # lock timeout
        "57": 500,  # operator intervention
        "57014": 504,  # statement timeout
        "57P01": 503,  # the server shuts down
        "57P02": 503,
        "57P03": 503,
        "58": 500,  # system
        "F0": 500,  # configuration file
        "HV": 500,  # foreign data wrapper
        "P0": 500,  # PL/pgSQL
        "P0001": 400,  # RAISE without a code
        "PT": 500,  # a status that there is not
        "XX": 500,  # a bug
    }
)
"""By whole SQLSTATE, else by its class; 400 for all others."""

_RAISED_STATUS: Final = re.compile(r"PT([2-5][0-9][0-9])")
"""An SQLSTATE that a function of the customer's raises to choose the status (PostgREST)."""

_RETRY_SECONDS: Final = 1


Details = str | Sequence[Mapping[str, str]] | None
"""A text, or what PostgREST says as a list of objects."""


class RestError(Exception):
    """Refuse a request of the data side.

    Args:
        code: names the reason; a key of `STATUS` or an SQLSTATE.
        message: what was wrong.
        details: more about this case.
        hint: what to do next.
        headers: of the answer, besides those that its status brings.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        details: Details = None,
        hint: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details
        self.hint = hint
        self._headers = headers

    def at_its_note(self) -> "RestError":
        """Return the same, its message beginning with the place that its note names."""
        place = "".join(getattr(self, "__notes__", [])[:1])
        return RestError(
            self.code,
            f"{place}: {self.message}" if place else self.message,
            details=self.details,
            hint=self.hint,
            headers=self._headers,
        )

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        raised = _RAISED_STATUS.fullmatch(self.code)
        if raised:
            return int(raised[1])
        found = STATUS.get(self.code) or _SQLSTATE_STATUS.get(self.code)
        return found or _SQLSTATE_STATUS.get(self.code[:2], 400)

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The headers of the answer, its body's aside."""
        if self.status == HTTPStatus.SERVICE_UNAVAILABLE:
            return (*self._headers, ("Retry-After", str(_RETRY_SECONDS)))
        return self._headers


def render_error(code: str, message: str, details: Details, hint: str | None) -> bytes:
    """Write the body of a refusal: all four members, whatever they hold."""
    body = {"code": code, "message": message, "details": details, "hint": hint}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def not_supported(what: str) -> RestError:
    """Refuse a part of PostgREST's grammar that is not served."""
    return RestError("PGRST127", "Feature not implemented", details=f"{what} is not supported.")
