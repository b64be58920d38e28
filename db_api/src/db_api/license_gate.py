"""The gate in front of the data routes: open while the license is usable.

The only module that imports the licensing SDK. The SDK watches over the license in a task, so that
time, another process or `activate-license` change the gate too; a request reads an attribute.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

import structlog

from db_api import errors
from db_api._version import __version__
from db_api.settings import SettingsError
from license_client import (
    AsyncLicenseClient,
    AsyncLicenseWatch,
    ConfigurationError,
    EmailMalformedError,
    KeyMalformedError,
    LicenseError,
    LicenseStatus,
    State,
)

PRODUCT: Final = "db-api"
_BUILT_IN_TRUST: Final = Path(__file__).with_name("trust.json")
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
    """

    def __init__(self, make_client: Callable[[Owner | None], AsyncLicenseClient]) -> None:
        self._make_client = make_client
        self._client = make_client(None)
        self._watch: AsyncLicenseWatch | None = None

    @property
    def is_open(self) -> bool:
        """Whether data routes answer."""
        return self._watch is not None and self._watch.status.usable

    @property
    def view(self) -> LicenseView:
        """The license behind it."""
        if self._watch is None:
            return _invalid("UNLICENSED", "No license has been checked yet.")
        return view_of(self._watch.status)

    async def open(self) -> None:
        """Open from the cache at once, else ask the license server, as LICENSE_START_WAIT says."""
        await self._client.start()
        await self._keep(self._client)

    def close(self) -> None:
        """End what looks after the license."""
        if self._watch is not None:
            self._watch.stop()

    async def refresh(self) -> None:
        """Look at once: at the cache, and at the license server when that is due."""
        if self._watch is not None:
            await self._watch.look()

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
        await self._keep(client)
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
                status = await self._client.check(license_key, email)
        except errors.LicenseRefusedError as error:
            return _invalid(error.details or error.code, error.message)
        await self.refresh()  # if it was the configured license, its cache has changed
        return view_of(status)

    async def _keep(self, client: AsyncLicenseClient) -> None:
        watch = await client.watch(_log_change)
        self.close()
        self._client, self._watch = client, watch


def _log_change(_before: LicenseStatus, after: LicenseStatus) -> None:
    _log.warning("license.state", state=after.state.value, usable=after.usable)


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

    def make_client(owner: Owner | None) -> AsyncLicenseClient:
        return AsyncLicenseClient.from_env(
            product=PRODUCT,
            trust=trust,
            app_version=__version__,
            environ=_environment_of(owner, environ),
        )

    try:
        return LicenseGate(make_client)
    except ConfigurationError as error:
        raise SettingsError((str(error),)) from error


def _environment_of(owner: Owner | None, environ: Mapping[str, str]) -> Mapping[str, str]:
    if owner is None:
        return environ
    files = {"LICENSE_KEY_FILE", "LICENSE_EMAIL_FILE"}
    kept = {name: value for name, value in environ.items() if name not in files}
    return {**kept, "LICENSE_KEY": owner.license_key, "LICENSE_EMAIL": owner.email}
