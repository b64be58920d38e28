"""From an error to what the client sees: one table of statuses, one body under `/api`.

`/rest/v1` has PostgREST's body (`rest_errors`), with the statuses of this table. An error that is
not of this package becomes a fixed sentence: its text could hold what is not the client's.
"""

from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from starlette.responses import JSONResponse

from db_api import errors

STATUS: Final = MappingProxyType(
    {
        errors.InternalError: 500,
        errors.NotReadyError: 503,
        errors.MigrationNeededError: 503,
        errors.CredentialMissingError: 401,
        errors.CredentialInvalidError: 401,
        errors.AccessDeniedError: 403,
        errors.SchemaProtectedError: 403,
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
    }
)
_NOT_READY_RETRY_SECONDS: Final = 5
_CHALLENGE: Final = 'Basic realm="db-api", charset="UTF-8", Bearer'  # RFC 9110 §11.6.1


def internal_error() -> errors.InternalError:
    """Make the fixed sentence that stands for whatever went wrong inside."""
    return errors.InternalError(
        "The service failed to answer this request.",
        hint="Try again; if it stays, give the request id to whoever runs the service.",
    )


def headers_of(error: errors.DataApiError) -> dict[str, str]:
    """Name the headers that an error's answer carries besides its body."""
    if isinstance(error, errors.TooManyRequestsError):
        return {"Retry-After": str(error.retry_after_seconds)}
    if isinstance(error, errors.NotReadyError):
        return {"Retry-After": str(_NOT_READY_RETRY_SECONDS)}
    if isinstance(error, errors.CredentialMissingError | errors.CredentialInvalidError):
        return {"WWW-Authenticate": _CHALLENGE}
    return {}


def api_response(error: errors.DataApiError, request_id: str) -> JSONResponse:
    """Render an error under `/api`: `{error, message, code, details, hint, requestId}`."""
    status = STATUS[type(error)]
    body = {
        "error": HTTPStatus(status).phrase,
        "message": error.message,
        "code": error.code,
        "details": error.details,
        "hint": error.hint,
        "requestId": request_id,
    }
    return JSONResponse(body, status, headers_of(error))
