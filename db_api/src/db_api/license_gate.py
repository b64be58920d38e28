"""The gate in front of the data routes: open while the license is usable.

The only module that imports the licensing SDK. A request reads one attribute (`is_open`); a task
asks the SDK every few seconds, which calls the license server only when that is due and otherwise
judges the cache again, so that time, another process or `activate-license` change the gate too.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

import structlog

from db_api import errors
from db_api._version import __version__
from db_api.settings import SettingsError
from license_client import (
    AsyncLicenseClient,
    ConfigurationError,
    EmailMalformedError,
    KeyMalformedError,
    LicenseError,
    LicenseStatus,
    OfflineError,
    State,
)

PRODUCT: Final = "db-api"
_BUILT_IN_TRUST: Final = Path(__file__).with_name("trust.json")
_WATCH_SECONDS: Final = 3.0
_RETRY_SECONDS: Final = 1.0
_CALL_SECONDS: Final = 5.0  # the contract's total deadline of a call
_SHOWN: Final = MappingProxyType(  # SelfHostedDB's words; all other states are "invalid"
    {
        State.ACTIVE: "active",
        State.TRIAL: "trial",
        State.GRACE_OFFLINE: "grace_period",
        State.GRACE_RENEWAL: "grace_period",
        State.EXPIRED: "expired",
        State.TRIAL_EXPIRED: "expired",
    }
)

_log = structlog.get_logger(__name__)


class LicenseClient(Protocol):
    """The part of the SDK that the gate uses; see `AsyncLicenseClient`."""

    async def status(self) -> LicenseStatus:
        """Judge the cache; no network."""

    async def activate(self) -> LicenseStatus:
        """Register this deployment and take the server's decision in."""

    async def check(self, license_key: str, email: str) -> LicenseStatus:
        """Ask about any license and forget the answer."""

    async def refresh_if_due(self) -> LicenseStatus:
        """Validate when that is due, else judge the cache."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A license key and the email that it belongs to, as typed."""

    license_key: str = field(repr=False)
    email: str


@dataclass(frozen=True, slots=True)
class LicenseView:
    """What the gate knows of the license, for those who may not import the SDK.

    Attributes:
        state: of the contract's state machine.
        status: `active`, `trial`, `grace_period`, `expired` or `invalid`.
        type: `paid`, `trial`, or None while unknown.
        code: of the contract: why it is valid or not.
        expires_at: end of a paid license or a trial; None for a lifetime.
        grace_ends_at: while in grace, when the gate closes.
    """

    valid: bool
    state: str
    status: str
    type: str | None
    code: str
    message: str
    expires_at: datetime | None = None
    grace_ends_at: datetime | None = None
    last_verified_at: datetime | None = None
    next_refresh_at: datetime | None = None
    warnings: tuple[str, ...] = ()


class LicenseGate:
    """Holds the license of this process.

    Args:
        make_client: makes an SDK client for an owner, None = the configured one.
        email: the configured one; a one-off check may leave its own out.

    Attributes:
        is_open: whether data routes answer.
        view: the license behind it.
    """

    def __init__(
        self, make_client: Callable[[Owner | None], LicenseClient], email: str = ""
    ) -> None:
        self._make_client = make_client
        self._client = make_client(None)
        self._email = email
        self.is_open = False
        self.view = _invalid("UNLICENSED", "No license has been checked yet.")

    async def open(self, patience_seconds: float) -> None:
        """Open from the cache at once, else ask the license server, at least once.

        Args:
            patience_seconds: how long a server that cannot be reached is tried again.
        """
        deadline = asyncio.get_running_loop().time() + patience_seconds
        self._take(await self._client.status())
        cached = self.view
        while not self.is_open:
            try:
                self._take(await self._client.activate())
            except LicenseError as error:
                self.view = _explained(cached, error)
                if not await _may_retry(error, deadline):
                    return
            else:
                return

    async def watch(self) -> None:
        """Keep the gate true to the license until cancelled."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            await self.refresh()

    async def refresh(self) -> None:
        """Look once: at the cache, and at the license server when that is due."""
        client, before = self._client, self.view.state
        try:
            status = await client.refresh_if_due()
        except Exception:  # noqa: BLE001 - without a next look the gate would stand open for ever
            _log.exception("license.refresh_failed")
            return
        if client is not self._client:
            return  # meanwhile another license was activated
        self._take(status)
        if self.view.state != before:
            _log.warning("license.state", state=self.view.state, usable=self.is_open)

    async def activate(self, owner: Owner) -> LicenseView:
        """Put another license under the running gate, if it is usable.

        Raises:
            LicenseServerUnreachableError: no signed answer came.
            LicenseRefusedError: the answer is no, or the key or email is malformed.
        """
        try:
            client = self._make_client(owner)
        except ConfigurationError as error:
            raise errors.LicenseRefusedError(str(error), details=error.code) from error
        with _translated():
            status = await client.activate()
        if not status.usable:
            raise errors.LicenseRefusedError(status.message, details=status.code)
        self._client, self._email = client, owner.email
        self._take(status)
        return self.view

    async def check(self, license_key: str, email: str | None) -> LicenseView:
        """Ask the license server about any license; of its own the gate takes the answer in.

        Args:
            license_key: as typed.
            email: as typed; None = the configured one.

        Raises:
            LicenseServerUnreachableError: no signed answer came.
        """
        try:
            with _translated():
                status = await self._client.check(license_key, email or self._email)
        except errors.LicenseRefusedError as error:
            return _invalid(error.details or error.code, error.message)
        await self.refresh()  # if it was the configured license, its cache has changed
        return view_of(status)

    def _take(self, status: LicenseStatus) -> None:
        self.view = view_of(status)
        self.is_open = self.view.valid


async def _may_retry(error: LicenseError, deadline: float) -> bool:
    """Wait before the next try, unless that is of no use or could end after the deadline."""
    if not isinstance(error, OfflineError):
        return False
    wait_seconds = error.retry_after_seconds or _RETRY_SECONDS
    if asyncio.get_running_loop().time() + wait_seconds + _CALL_SECONDS > deadline:
        return False
    await asyncio.sleep(wait_seconds)
    return True


def view_of(status: LicenseStatus) -> LicenseView:
    """Render the SDK's status."""
    grace_ends_at = {
        State.GRACE_OFFLINE: status.grace_until,
        State.GRACE_RENEWAL: status.renewal_grace_until,
    }.get(status.state)
    return LicenseView(
        valid=status.usable,
        state=status.state.value,
        status=_SHOWN.get(status.state, "invalid"),
        type=status.kind,
        code=status.code,
        message=status.message,
        expires_at=status.expires_at,
        grace_ends_at=grace_ends_at,
        last_verified_at=status.last_verified_at,
        next_refresh_at=status.next_refresh_at,
        warnings=status.warnings,
    )


def _invalid(code: str, message: str) -> LicenseView:
    return LicenseView(
        valid=False, state=code, status="invalid", type=None, code=code, message=message
    )


def _explained(cached: LicenseView, error: LicenseError) -> LicenseView:
    """Say of a closed gate also why it could not be opened."""
    code = error.code if cached.code == State.UNLICENSED else cached.code
    return replace(cached, code=code, message=f"{cached.message} {error}")


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the SDK's errors into ours."""
    try:
        yield
    except (KeyMalformedError, EmailMalformedError) as error:
        raise errors.LicenseRefusedError(str(error), details=error.code) from error
    except LicenseError as error:
        raise errors.LicenseServerUnreachableError(str(error), details=error.code) from error


def gate_from_environment(environ: Mapping[str, str]) -> LicenseGate:
    """Make the closed gate of the configured license.

    Args:
        environ: holds the SDK's `LICENSE_*` settings. Where trust is built into the package,
            they cannot replace it.

    Raises:
        SettingsError: every mistake in those settings.
    """
    trust = _BUILT_IN_TRUST if _BUILT_IN_TRUST.is_file() else None

    def make_client(owner: Owner | None) -> LicenseClient:
        return AsyncLicenseClient.from_env(
            product=PRODUCT,
            trust=trust,
            app_version=__version__,
            environ=_environment_of(owner, environ),
        )

    try:
        return LicenseGate(make_client, _configured_email(environ))
    except ConfigurationError as error:
        raise SettingsError((str(error),)) from error


def _configured_email(environ: Mapping[str, str]) -> str:
    """Read what the SDK reads; what is wrong with it, the SDK says."""
    file = environ.get("LICENSE_EMAIL_FILE")
    if not file:
        return environ.get("LICENSE_EMAIL", "")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _environment_of(owner: Owner | None, environ: Mapping[str, str]) -> Mapping[str, str]:
    if owner is None:
        return environ
    files = {"LICENSE_KEY_FILE", "LICENSE_EMAIL_FILE"}
    kept = {name: value for name, value in environ.items() if name not in files}
    return {**kept, "LICENSE_KEY": owner.license_key, "LICENSE_EMAIL": owner.email}
