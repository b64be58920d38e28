"""What can go wrong, in plain words and with stable codes; nothing here knows HTTP.

    LicenseServerError
    ├── MalformedJson          the body is no JSON object, or not one that all readers read alike
    ├── InvalidField           members of a request break their rules, each named
    ├── KeyMalformed           the text is no license key
    ├── BodyTooLarge           more bytes than any request needs
    ├── UnsupportedMediaType   the body is not declared as JSON
    ├── CredentialMissing      nothing says who asks
    ├── CredentialInvalid      a token or signature that is not accepted
    ├── RoleForbidden          the token's role may not do this
    ├── NotFound               no such product, license or page
    ├── StateConflict          the change does not fit the present state
    ├── IdempotencyConflict    the idempotency key belongs to another request
    ├── EtagMismatch           the thing was changed in the meantime
    ├── RateLimited            too often; it says when to come back
    ├── DeliveryFailed         a mail or an event could not be handed over
    ├── NotReady               the database does not answer
    ├── SigningUnavailable     a decision cannot be signed now
    └── ConfigurationError     settings, files or schema are unusable; an operator must act
        └── StartRefused       ... and so `serve` does not start

`problems.py` maps codes to HTTP, `cli` to exit statuses.
"""

from dataclasses import dataclass
from typing import ClassVar


class LicenseServerError(Exception):
    """Root of all errors of this package.

    Attributes:
        code: stable name of the kind of error, from the contract's closed list of problems.
    """

    code: ClassVar[str] = "INTERNAL"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One member of a request and the rule that it breaks.

    Attributes:
        field: dotted name of the member, as the request spells it (`client.version`).
        message: what was expected; never the value.
    """

    field: str
    message: str


class MalformedJson(LicenseServerError):  # noqa: N818 - named as the contract's code
    """The body is not one strict JSON object."""

    code = "MALFORMED_JSON"


class InvalidField(LicenseServerError):  # noqa: N818 - named as the contract's code
    """Members of a request break their rules.

    Attributes:
        errors: every broken member, in the order of the request.
    """

    code = "INVALID_FIELD"

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = errors


class KeyMalformed(LicenseServerError):  # noqa: N818 - named as the contract's code
    """The text is no license key: wrong length, foreign characters or a bad checksum."""

    code = "KEY_MALFORMED"


class BodyTooLarge(LicenseServerError):  # noqa: N818 - named as the contract's code
    """The body has more bytes than any request needs."""

    code = "BODY_TOO_LARGE"


class UnsupportedMediaType(LicenseServerError):  # noqa: N818 - named as the contract's code
    """The body is not declared as JSON."""

    code = "UNSUPPORTED_MEDIA_TYPE"


class CredentialMissing(LicenseServerError):  # noqa: N818 - named as the contract's code
    """Nothing says who asks."""

    code = "CREDENTIAL_MISSING"


class CredentialInvalid(LicenseServerError):  # noqa: N818 - named as the contract's code
    """A token or signature is malformed, unknown, expired or revoked."""

    code = "CREDENTIAL_INVALID"


class RoleForbidden(LicenseServerError):  # noqa: N818 - named as the contract's code
    """The token's role may not do this."""

    code = "ROLE_FORBIDDEN"


class NotFound(LicenseServerError):  # noqa: N818 - named as the contract's code
    """There is no such product, license or page."""

    code = "NOT_FOUND"


class StateConflict(LicenseServerError):  # noqa: N818 - named as the contract's code
    """The change does not fit the present state of its subject."""

    code = "STATE_CONFLICT"


class IdempotencyConflict(LicenseServerError):  # noqa: N818 - named as the contract's code
    """The idempotency key was used for another request before."""

    code = "IDEMPOTENCY_CONFLICT"


class EtagMismatch(LicenseServerError):  # noqa: N818 - named as the contract's code
    """The thing was changed since the caller read it."""

    code = "ETAG_MISMATCH"


class RateLimited(LicenseServerError):  # noqa: N818 - named as the contract's code
    """The caller came too often.

    Attributes:
        retry_after_seconds: when it is worth coming back.
    """

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class DeliveryFailed(LicenseServerError):  # noqa: N818 - says what happened
    """Something could not be delivered; the text says why and holds no personal data.

    Attributes:
        is_final: trying again is of no use.
    """

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


class NotReady(LicenseServerError):  # noqa: N818 - named as the contract's code
    """The database does not answer."""

    code = "NOT_READY"


class SigningUnavailable(LicenseServerError):  # noqa: N818 - named as the contract's code
    """A decision cannot be signed now: the clock or the signing key is not to be trusted."""

    code = "SIGNING_UNAVAILABLE"


class ConfigurationError(LicenseServerError):
    """Settings, key files or the database schema are unusable until an operator acts."""


class StartRefused(ConfigurationError):  # noqa: N818 - says what happened, to an operator
    """The server does not start; the text says why and what to do."""
