"""Everything that leaves the public functions of this package by `raise`, ordered by what to do.

    LicenseError
    ├── ConfigurationError          fix the settings, then start again     CONFIG_INVALID
    │   ├── KeyMalformedError       look at the license key again          KEY_MALFORMED
    │   └── EmailMalformedError     look at the email address again        INVALID_FIELD
    ├── CacheUnreadableError        activate again, online                 CACHE_UNREADABLE
    ├── OfflineError                try later; a cached license runs on    OFFLINE
    └── RejectedError               stop: this was not signed for us
        ├── DecisionRejectedError   the answer of the license server       DECISION_REJECTED
        └── KeySetRejectedError     the keys that came with it             KEYSET_REJECTED

A "no" that the license server signed is not an error: it is a status that is not usable.
"""

from typing import ClassVar


class LicenseError(Exception):
    """The root: nothing else leaves a public function of this package.

    Attributes:
        code: stable name of what happened, for programs; the text is for people.
        rule: slug of the rule that was broken, as the golden vectors name it, or "".
    """

    code: ClassVar[str] = "LICENSE_ERROR"

    def __init__(self, message: str, *, rule: str = "") -> None:
        super().__init__(message)
        self.rule = rule


class ConfigurationError(LicenseError):
    """A setting is missing or wrong; nothing was sent.

    The text has one sentence for each mistake: it names the setting and never shows a secret.
    """

    code = "CONFIG_INVALID"


class KeyMalformedError(ConfigurationError):
    """A license key is mistyped or incomplete: its check symbols do not fit."""

    code = "KEY_MALFORMED"


class EmailMalformedError(ConfigurationError):
    """An email address has a form that no license can have been issued to."""

    code = "INVALID_FIELD"


class CacheUnreadableError(LicenseError):
    """The cache file is damaged, or sealed with an encryption key that is not ours."""

    code = "CACHE_UNREADABLE"


class OfflineError(LicenseError):
    """The license server gave no signed answer, whatever it gave instead.

    Attributes:
        retry_after_seconds: how long the server asked to be left alone, if it did.
    """

    code = "OFFLINE"

    def __init__(self, message: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class RejectedError(LicenseError):
    """Something that should have been signed for us was not; the license state is unchanged."""


class DecisionRejectedError(RejectedError):
    """A decision failed one of the checks of `_verify`."""

    code = "DECISION_REJECTED"


class KeySetRejectedError(RejectedError):
    """A key set is malformed, older than ours, or not signed by the pinned roots."""

    code = "KEYSET_REJECTED"
