"""The logins of schemas, remembered for 4 s: a change holds in every process within 5 s.

The database enforces what a key may do by the role that its requests run as. Where a schema has
no login of a kind, DATABASE_URL's serves its keys; where it has one that cannot be opened, nobody
stands in for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from db_api.api_keys import KeyType
from db_api.control.logins import StoredLogin
from db_api.errors import LoginUnreadableError
from db_api.sealing import RootKeys, Sealer, UnsealError

_REMEMBERED_SECONDS: Final = 4
_PURPOSE: Final = "login-password/v1"
_OWN_NAMES: Final = frozenset({"user", "password", "passfile"})


@dataclass(frozen=True, slots=True)
class Login:
    """How to connect as a role.

    Attributes:
        role: its name.
        url: `postgresql://…`, with its password.
    """

    role: str
    url: str = field(repr=False)


class LoginVault:
    """Turns stored logins into ones that connect, and back.

    Args:
        database_url: of the same database, with another login.
        keys: None where there is no root secret: then passwords neither open nor are sealed.
    """

    def __init__(self, database_url: str, keys: RootKeys | None) -> None:
        self._database_url = database_url
        self._sealer: Sealer | None = keys.sealer(_PURPOSE) if keys else None

    @property
    def can_seal(self) -> bool:
        """Tell whether there is a root secret."""
        return self._sealer is not None

    def seal(self, schema: str, kind: KeyType, role: str, password: str) -> bytes:
        """Seal the password of a schema's login.

        Raises:
            LoginUnreadableError: there is no root secret.
        """
        if self._sealer is None:
            raise _without_key(schema)
        return self._sealer.seal(password, _context(schema, kind, role))

    def open(self, stored: StoredLogin) -> Login:
        """Make the login that connects.

        Raises:
            LoginUnreadableError: its password does not open with the root secret.
        """
        password = self._password(stored) if stored.sealed_password is not None else None
        return Login(stored.role, url_of_login(self._database_url, stored.role, password))

    def _password(self, stored: StoredLogin) -> str:
        if self._sealer is None:
            raise _without_key(stored.schema)
        context = _context(stored.schema, stored.kind, stored.role)
        try:
            return self._sealer.unseal(stored.sealed_password or b"", context)
        except UnsealError as error:
            raise LoginUnreadableError(
                f"The login of schema {stored.schema!r} for {stored.kind} keys does not open.",
                details=str(error),
                hint="Set the LICENSE_ENCRYPTION_KEY that it was sealed with (as "
                "LICENSE_ENCRYPTION_KEY_PREVIOUS during a rotation), or run "
                f"`db-api provision {stored.schema} --repair`.",
            ) from error


class Logins:
    """What the database says about logins, asked once per schema and 4 s.

    Args:
        read: lists the stored logins of a schema.
        vault: opens them.
        now: a monotonic clock in seconds.
    """

    def __init__(
        self,
        read: Callable[[str], Awaitable[Sequence[StoredLogin]]],
        vault: LoginVault,
        now: Callable[[], float],
    ) -> None:
        self._read = read
        self._vault = vault
        self._now = now
        self._known: dict[str, tuple[float, Sequence[StoredLogin]]] = {}  # schemas that have keys
        self._opened: dict[StoredLogin, Login] = {}
        self._asking: dict[str, asyncio.Task[Sequence[StoredLogin]]] = {}

    async def find(self, schema: str, kind: str) -> Login | None:
        """Find the login of a schema's keys of a kind; None where it has none of its own.

        Raises:
            NotReadyError: the database does not answer.
            LoginUnreadableError: the login is there and does not open.
        """
        until, stored = self._known.get(schema, (float("-inf"), ()))
        if self._now() >= until:
            stored = await self._ask(schema)
        for login in stored:
            if login.kind == kind:
                return self._open(login)
        return None

    def forget(self, schema: str) -> None:
        """Ask again at the next use: this process has just changed the logins of a schema."""
        self._known.pop(schema, None)

    def _open(self, stored: StoredLogin) -> Login:
        opened = self._opened.get(stored)
        if opened is None:
            opened = self._vault.open(stored)
            self._opened[stored] = opened
        return opened

    async def _ask(self, schema: str) -> Sequence[StoredLogin]:
        """Ask the database, once for all who wait for the same schema."""
        task = self._asking.get(schema)
        if task is None:
            task = asyncio.create_task(self._remember(schema))
            self._asking[schema] = task
            task.add_done_callback(lambda _: self._asking.pop(schema, None))
        return await asyncio.shield(task)

    async def _remember(self, schema: str) -> Sequence[StoredLogin]:
        until = self._now() + _REMEMBERED_SECONDS  # from before the question on
        stored = await self._read(schema)
        for old in self._known.get(schema, (0, ()))[1]:
            if old not in stored:
                self._opened.pop(old, None)
        self._known[schema] = (until, stored)
        return stored


def url_of_login(database_url: str, role: str, password: str | None) -> str:
    """Write the URL of the same database for another login."""
    parts = urlsplit(database_url)
    hosts = parts.netloc.rpartition("@")[2]
    login = quote(role, safe="") + (f":{quote(password, safe='')}" if password else "")
    others = [pair for pair in parse_qsl(parts.query) if pair[0] not in _OWN_NAMES]
    return urlunsplit(parts._replace(netloc=f"{login}@{hosts}", query=urlencode(others)))


def _context(schema: str, kind: KeyType, role: str) -> str:
    return f"{schema}\0{kind}\0{role}"  # no name holds a NUL


def _without_key(schema: str) -> LoginUnreadableError:
    return LoginUnreadableError(
        f"The logins of schema {schema!r} need LICENSE_ENCRYPTION_KEY, which is not set.",
        hint="Set it to the 64 hexadecimal digits that seal the license cache "
        "(`db-api gen encryption-key` makes them).",
    )
