"""What the service refuses, in plain words and stable codes; nothing here knows of HTTP.

`problems` turns each class into a status; a class without a row there fails a test.

    DataApiError
    ├── InternalError                   ours to mend
    ├── NotReadyError                   try later
    │   └── SqlBusyError
    ├── MigrationNeededError            run `db-api migrate`
    ├── LoginUnreadableError            set the key, or repair the login
    ├── LoginRefusedError               repair the login
    ├── CredentialMissingError          send a credential
    ├── CredentialInvalidError          send another one
    ├── AccessDeniedError               the credential may not do this
    │   ├── SchemaProtectedError        nobody may
    │   └── SchemaNotProvisionedError   run `db-api provision`
    ├── HttpsRequiredError              come by HTTPS, with another credential
    ├── TooManyRequestsError            wait
    │   └── TooManyFailedLoginsError
    ├── LicenseClosedError              activate or renew the license
    ├── LicenseServerUnreachableError   try later
    ├── LicenseRefusedError             another key or email
    ├── InvalidRequestError             mend the request
    │   ├── UnsupportedMediaTypeError
    │   ├── BodyTooLargeError
    │   ├── ParameterMismatchError
    │   ├── StatementUnsupportedError
    │   └── ResultTooLargeError
    ├── NotFoundError
    ├── MethodNotAllowedError
    ├── StateConflictError
    └── SqlTimeoutError                 ask for less, or for more time
"""

from typing import ClassVar


class DataApiError(Exception):
    """The root: nothing else leaves the package's public functions.

    Args:
        message: what was wrong and what was expected, without any secret's value.
        details: more about this case.
        hint: what to do next.
    """

    code: ClassVar[str]

    def __init__(
        self, message: str, *, details: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.hint = hint


class InternalError(DataApiError):
    """A fault of ours; the log has what happened, under the request's id."""

    code = "DBAPI001"


class NotReadyError(DataApiError):
    """The database or the schema cache cannot answer now."""

    code = "DBAPI002"


class MigrationNeededError(DataApiError):
    """The service's own tables are of another revision."""

    code = "DBAPI003"


class LoginUnreadableError(DataApiError):
    """The stored password of a schema's login does not open, so its keys cannot be served."""

    code = "DBAPI330"


class LoginRefusedError(DataApiError):
    """PostgreSQL does not let the role of a schema's keys in."""

    code = "DBAPI331"


class CredentialMissingError(DataApiError):
    """The route needs a credential and got none."""

    code = "DBAPI100"


class CredentialInvalidError(DataApiError):
    """The credential is unknown, malformed, revoked or expired."""

    code = "DBAPI101"


class AccessDeniedError(DataApiError):
    """The credential is good and may not do this."""

    code = "DBAPI102"


class SchemaProtectedError(AccessDeniedError):
    """The schema belongs to PostgreSQL or to this service."""

    code = "DBAPI103"


class HttpsRequiredError(DataApiError):
    """The request came in the clear, its credential with it."""

    code = "DBAPI210"


class TooManyRequestsError(DataApiError):
    """A rate limit is used up.

    Args:
        message: which limit.
        retry_after_seconds: when the next request has a chance, at least 1.
    """

    code = "DBAPI110"

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message, hint=f"Wait {retry_after_seconds} s and try again.")
        self.retry_after_seconds = retry_after_seconds


class TooManyFailedLoginsError(TooManyRequestsError):
    """An address failed to log in too often."""

    code = "DBAPI111"


class LicenseClosedError(DataApiError):
    """The license is not usable, so data routes are closed."""

    code = "DBAPI200"


class LicenseServerUnreachableError(DataApiError):
    """The license server gave no answer that proves itself."""

    code = "DBAPI201"


class LicenseRefusedError(DataApiError):
    """The license server answered, signed, that this key and email open nothing."""

    code = "DBAPI202"


class InvalidRequestError(DataApiError):
    """A member, parameter or name is missing or malformed."""

    code = "DBAPI300"


class UnsupportedMediaTypeError(InvalidRequestError):
    """The body is not of a type that the route reads."""

    code = "DBAPI301"


class BodyTooLargeError(InvalidRequestError):
    """The body is over the route's limit."""

    code = "DBAPI302"


class NotFoundError(DataApiError):
    """What the path names does not exist."""

    code = "DBAPI303"


class MethodNotAllowedError(DataApiError):
    """The path exists and has no such method.

    Args:
        allowed: the methods that it has.
    """

    code = "DBAPI304"

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__(f"This path has the methods {', '.join(allowed)}.")
        self.allowed = allowed


class StateConflictError(DataApiError):
    """The change does not fit what is there."""

    code = "DBAPI305"


class SchemaNotProvisionedError(AccessDeniedError):
    """SQL of users needs logins of their own for the schema, and it has none."""

    code = "DBAPI450"


class ParameterMismatchError(InvalidRequestError):
    """A statement has another number of parameters than the request."""

    code = "DBAPI451"


class StatementUnsupportedError(InvalidRequestError):
    """A statement does what a single statement over HTTP cannot."""

    code = "DBAPI452"


class ResultTooLargeError(InvalidRequestError):
    """Not even the first row of a result fits into an answer."""

    code = "DBAPI453"


class SqlTimeoutError(DataApiError):
    """A statement outlived its own timeout and was ended."""

    code = "DBAPI454"


class SqlBusyError(NotReadyError):
    """As many statements of users run as may."""

    code = "DBAPI455"
