"""From an error to what the client sees: one table of statuses, a body for each mount.

Under `/rest/v1` the body is PostgREST's `{code, message, details, hint}`; everywhere else it is
`{error, message, code, details, hint, requestId}`. What is not an error of this package becomes a
fixed sentence: its text could hold what is not the client's.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import Scope

from db_api import errors
from db_api.middleware import RawResponse
from db_api.rest import PREFIX
from db_api.rest_errors import Details, RestError, render_error
from db_api.user_sql.refusals import StatementRefusedError

STATUS: Final[Mapping[type[errors.DataApiError], int]] = MappingProxyType(
    {
        errors.InternalError: 500,
        errors.NotReadyError: 503,
        errors.MigrationNeededError: 503,
        errors.LoginUnreadableError: 503,
        errors.LoginRefusedError: 503,
        errors.CredentialMissingError: 401,
        errors.CredentialInvalidError: 401,
        errors.AccessDeniedError: 403,
        errors.SchemaProtectedError: 403,
        errors.HttpsRequiredError: 403,
        errors.TooManyRequestsError: 429,
        errors.TooManyFailedLoginsError: 429,
        errors.LicenseClosedError: 403,
        errors.LicenseServerUnreachableError: 503,
        errors.LicenseRefusedError: 422,
        errors.InvalidRequestError: 400,
        errors.UnsupportedMediaTypeError: 415,
        errors.BodyTooLargeError: 413,
        errors.NotFoundError: 404,
        errors.MethodNotAllowedError: 405,
        errors.StateConflictError: 409,
        errors.SchemaNotProvisionedError: 403,
        errors.ParameterMismatchError: 400,
        errors.StatementUnsupportedError: 400,
        errors.ResultTooLargeError: 400,
        errors.SqlTimeoutError: 504,
        errors.SqlBusyError: 503,
    }
)
_RETRY_SECONDS: Final = 5
_CHALLENGE: Final = 'Basic realm="db-api", charset="UTF-8", Bearer'  # RFC 9110 11.6.1


def answer_error(error: Exception, scope: Scope) -> RawResponse:
    """Render whatever a request ended in."""
    if isinstance(error, ClientDisconnect):
        error = errors.InvalidRequestError("The client left before the end of the body.")
    if not isinstance(error, errors.DataApiError | RestError):
        error = _internal_error()
    if isinstance(error, RestError):
        status, headers = error.status, dict(error.headers)
    else:
        status, headers = STATUS[type(error)], _headers_of(error)
    if scope["path"].startswith(PREFIX):
        body = render_error(error.code, error.message, error.details, error.hint)
    else:
        body = _render(error, status, scope["state"]["request_id"])
    headers |= {"content-type": "application/json", "content-length": str(len(body))}
    pairs = tuple((name.lower().encode(), value.encode()) for name, value in headers.items())
    return RawResponse(status, pairs, body)


def _render(error: errors.DataApiError | RestError, status: int, request_id: str) -> bytes:
    body: dict[str, Details | int] = {
        "error": HTTPStatus(status).phrase,
        "message": error.message,
        "code": error.code,
        "details": error.details,
        "hint": error.hint,
        "requestId": request_id,
    }
    if isinstance(error, StatementRefusedError):
        body["position"] = error.position
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _internal_error() -> errors.InternalError:
    return errors.InternalError(
        "The service failed to answer this request.",
        hint="Try again; if it stays, give the request id to whoever runs the service.",
    )


def _headers_of(error: errors.DataApiError) -> dict[str, str]:
    """Name the headers that an error's answer carries besides its body's."""
    if isinstance(error, errors.TooManyRequestsError):
        return {"retry-after": str(error.retry_after_seconds)}
    if STATUS[type(error)] == HTTPStatus.SERVICE_UNAVAILABLE:
        return {"retry-after": str(_RETRY_SECONDS)}
    if isinstance(error, errors.CredentialMissingError | errors.CredentialInvalidError):
        return {"www-authenticate": _CHALLENGE}
    if isinstance(error, errors.MethodNotAllowedError):
        return {"allow": ", ".join(error.allowed)}
    return {}
