"""The one administrator: Argon2id off the event loop, and a memory of the login that passed.

Each hash takes 50 ms of a core and 19 MiB, so at most two run at once; a login that passed is
recognized for 300 s by an HMAC under a key that only this process has.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Final

from db_api.credentials import BasicLogin
from db_api.passwords import MAX_BYTES, verify_password

_HASHES_AT_ONCE: Final = 2
_REMEMBERED_SECONDS: Final = 300


class AdminLogin:
    """Checks logins against the configured user and password.

    Args:
        user: the administrator's name.
        password_hash: Argon2id PHC string.
        now: a monotonic clock in seconds.
    """

    def __init__(self, user: str, password_hash: str, now: Callable[[], float]) -> None:
        self._user = user.encode()
        self._password_hash = password_hash
        self._now = now
        self._key = secrets.token_bytes(32)
        self._hashing = asyncio.Semaphore(_HASHES_AT_ONCE)
        self._passed: tuple[bytes, float] | None = None  # HMAC, until when

    def is_remembered(self, login: BasicLogin) -> bool:
        """Tell, in microseconds, whether this very login passed in the last 300 s."""
        if self._passed is None or self._now() >= self._passed[1]:
            return False
        return hmac.compare_digest(self._tag(login), self._passed[0])

    async def check(self, login: BasicLogin, may_try: Callable[[], None]) -> bool:
        """Tell whether a login is right.

        Args:
            login: as presented.
            may_try: called when it is this login's turn to be hashed; raises to refuse it then.
        """
        if len(login.password.encode()) > MAX_BYTES:
            return False
        async with self._hashing:
            if self.is_remembered(login):  # one that waited beside it has passed
                return True
            may_try()
            password_fits = await asyncio.to_thread(
                verify_password, login.password, self._password_hash
            )
        if not password_fits or not hmac.compare_digest(login.user.encode(), self._user):
            return False
        self._passed = (self._tag(login), self._now() + _REMEMBERED_SECONDS)
        return True

    def _tag(self, login: BasicLogin) -> bytes:
        text = f"{login.user}\0{login.password}".encode()
        return hmac.digest(self._key, text, hashlib.sha256)
