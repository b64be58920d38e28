"""Who a request speaks for: an administrator by HTTP Basic, or the caller of an API key."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from db_api.admin_login import AdminLogin
from db_api.api_keys import digest_of
from db_api.callers import KEY_PREFIX, Caller
from db_api.credentials import BasicLogin, PresentedKey, read_credential
from db_api.errors import CredentialInvalidError, TooManyFailedLoginsError, TooManyRequestsError
from db_api.key_directory import KeyDirectory, KnownKey
from db_api.rates import TokenBuckets

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Administrator:
    """Whoever logged in by HTTP Basic."""

    name: str


@dataclass(frozen=True, slots=True)
class Limits:
    """The buckets that stand before and behind a credential.

    Attributes:
        failures: failed logins by address.
        requests: requests by API key.
    """

    failures: TokenBuckets
    requests: TokenBuckets


class Authenticator:
    """Turns the headers of a request into an identity.

    Args:
        admin: checks HTTP Basic.
        keys: finds API keys.
        limits: slows down guessing and overuse.
        utc_now: the wall clock, against which keys expire.
    """

    def __init__(
        self,
        admin: AdminLogin,
        keys: KeyDirectory,
        limits: Limits,
        utc_now: Callable[[], datetime],
    ) -> None:
        self._admin = admin
        self._keys = keys
        self._limits = limits
        self._utc_now = utc_now

    async def identify(
        self, headers: Sequence[tuple[bytes, bytes]], address: str
    ) -> Administrator | Caller:
        """Accept one credential or raise.

        Args:
            headers: of the request, names in lower case.
            address: of the client; failures are counted by it.

        Raises:
            CredentialMissingError: there is none.
            CredentialInvalidError: it is malformed, unknown, revoked or expired.
            TooManyFailedLoginsError: this address failed too often.
            TooManyRequestsError: this key is used too often.
            NotReadyError: the database that holds the keys does not answer.
        """
        credential = read_credential(headers)
        if isinstance(credential, BasicLogin):
            return await self._identify_admin(credential, address)
        return await self._identify_key(credential, address)

    async def _identify_admin(self, login: BasicLogin, address: str) -> Administrator:
        if self._admin.is_remembered(login):
            return Administrator(login.user)
        if await self._admin.check(login, lambda: self._require_patience(address)):
            return Administrator(login.user)
        raise self._failed(address, "The user or the password is wrong.")

    async def _identify_key(self, presented: PresentedKey, address: str) -> Caller:
        digest = digest_of(presented.text)
        known = await self._look_up(digest, address)
        if known is None:
            raise self._failed(address, "There is no such API key.")
        if not known.key.is_live(self._utc_now()):
            raise self._failed(address, "This API key is revoked or expired.")
        if wait_seconds := self._limits.requests.take(digest):
            _log.warning("ratelimit.hit", key_prefix=known.key.prefix)
            raise TooManyRequestsError("This API key is used too often.", wait_seconds)
        KEY_PREFIX.set(known.key.prefix)
        return known.caller

    async def _look_up(self, digest: bytes, address: str) -> KnownKey | None:
        """Look a key up; a new one is a failed login until it is found.

        So no burst of guesses reaches the database before the first of them is counted.
        """
        if self._keys.is_known(digest):
            return await self._keys.look_up(digest)
        self._require_patience(address)
        self._limits.failures.take(address)
        try:
            return await self._keys.look_up(digest)
        finally:
            self._limits.failures.give_back(address)

    def _require_patience(self, address: str) -> None:
        if wait_seconds := self._limits.failures.wait_seconds(address):
            _log.warning("auth.lockout", address=address)
            raise TooManyFailedLoginsError(
                "Too many logins from this address failed.", wait_seconds
            )

    def _failed(self, address: str, message: str) -> CredentialInvalidError:
        self._limits.failures.take(address)
        _log.warning("auth.failed", address=address)
        return CredentialInvalidError(message, hint="Check the credential, or ask for a new one.")
