"""From an error to what a client sees: the one table of codes, rendered after RFC 9457.

The texts of our own errors are for clients, except where a fault of the server is behind them; what
is not an error of ours becomes a fixed sentence, because its text could hold anything.
"""

import json
import math
from dataclasses import asdict, dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from license_server.errors import InvalidField, LicenseServerError, NotFound, RateLimited
from license_server.middleware import RawResponse


@dataclass(frozen=True, slots=True)
class Kind:
    """What all problems of one code have in common.

    Attributes:
        status: of the HTTP answer.
        title: one sentence for people.
    """

    status: int
    title: str


class MethodNotAllowed(NotFound):
    """There is such a page, but not for this method: 405, under the code of `NotFound`.

    Attributes:
        allowed: the methods that there are, as in the header Allow.
    """

    def __init__(self, allowed: str) -> None:
        super().__init__(f"this address answers only {allowed}")
        self.allowed = allowed


KINDS: Final = MappingProxyType(
    {
        "MALFORMED_JSON": Kind(400, "The body is not well-formed."),
        "INVALID_FIELD": Kind(400, "Members of the request break their rules."),
        "CREDENTIAL_MISSING": Kind(401, "A credential is needed."),
        "CREDENTIAL_INVALID": Kind(401, "The credential is not accepted."),
        "ROLE_FORBIDDEN": Kind(403, "The credential's role may not do this."),
        "NOT_FOUND": Kind(404, "There is nothing here."),
        "IDEMPOTENCY_CONFLICT": Kind(409, "The idempotency key belongs to another request."),
        "STATE_CONFLICT": Kind(409, "The change does not fit the present state."),
        "ETAG_MISMATCH": Kind(412, "It was changed in the meantime."),
        "BODY_TOO_LARGE": Kind(413, "The body is too large."),
        "UNSUPPORTED_MEDIA_TYPE": Kind(415, "The body must be JSON."),
        "KEY_MALFORMED": Kind(422, "This is no license key."),
        "RATE_LIMITED": Kind(429, "Too many requests."),
        "INTERNAL": Kind(500, "The server failed to answer."),
        "NOT_READY": Kind(503, "The server cannot answer now."),
        "SIGNING_UNAVAILABLE": Kind(503, "The server cannot sign decisions now."),
    }
)
"""Every code of the contract's closed list, with or without an error of this version."""

_RETRY_SECONDS: Final = 5  # of 503: a database restarts in less
_FAULT_DETAIL: Final = "The request may be fine: try again later, and tell the vendor if it stays."


def problem_of(error: Exception) -> tuple[str, str]:
    """Return the code of an error, and what it says to the client."""
    code = error.code if isinstance(error, LicenseServerError) else LicenseServerError.code
    is_fault = KINDS[code].status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return code, _FAULT_DETAIL if is_fault else str(error)


def render(error: Exception, request_id: str) -> RawResponse:
    """Render any error for the client whose request it ended.

    Args:
        error: an error of ours, or whatever else went wrong.
        request_id: of the request; the log has more under it.
    """
    code, detail = problem_of(error)
    kind = KINDS[code]
    status = HTTPStatus.METHOD_NOT_ALLOWED if isinstance(error, MethodNotAllowed) else kind.status
    document: dict[str, object] = {
        "type": f"/problems/{code.lower().replace('_', '-')}",
        "title": kind.title,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": request_id,
    }
    if isinstance(error, InvalidField):
        document["errors"] = [asdict(field) for field in error.errors]
    body = json.dumps(document, separators=(",", ":")).encode("ascii")
    return RawResponse(status, (*_headers(body), *_headers_of(error, status)), body)


def _headers(body: bytes) -> tuple[tuple[bytes, bytes], ...]:
    return (
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
    )


def _headers_of(error: Exception, status: int) -> tuple[tuple[bytes, bytes], ...]:
    if isinstance(error, MethodNotAllowed):
        return ((b"allow", error.allowed.encode("ascii")),)
    if status == HTTPStatus.UNAUTHORIZED:
        return ((b"www-authenticate", b"Bearer"),)
    if isinstance(error, RateLimited):
        return ((b"retry-after", b"%d" % max(1, math.ceil(error.retry_after_seconds))),)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return ((b"retry-after", b"%d" % _RETRY_SECONDS),)
    return ()
