"""The gate in front of the data routes: open while the license is usable.

The only module that imports the licensing SDK. The SDK watches over the license in a task, so that
time, another process or `activate-license` change the gate too; a request reads an attribute.
Another key and email are taken over from the owner's file, which `db-api activate` writes.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

import structlog

from db_api import errors
from db_api._version import __version__
from db_api.license_view import LicenseView, invalid_view
from db_api.owner_file import Owner, OwnerFile
from db_api.sealing import RootKeys
from db_api.secret_files import with_secret_files
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
_CACHE_FOLDER: Final = "license-data"
_ENCRYPTION_KEYS: Final = ("LICENSE_ENCRYPTION_KEY", "LICENSE_ENCRYPTION_KEY_PREVIOUS")
_BUILT_IN_TRUST: Final = Path(__file__).with_name("trust.json")
_LOOK_SECONDS: Final = 3.0  # as often as the SDK looks at its cache
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


class LicenseGate:
    """Holds the license of this process.

    Args:
        make_client: makes an SDK client for an owner, None = the configured one.
        owners: keeps the owner that was activated here.
    """

    def __init__(
        self, make_client: Callable[[Owner | None], AsyncLicenseClient], owners: OwnerFile
    ) -> None:
        self._make_client = make_client
        self._owners = owners
        self._seen = owners.stamp()
        self._client = make_client(None)
        self._watch: AsyncLicenseWatch | None = None
        self._following: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether data routes answer."""
        return self._watch is not None and self._watch.status.usable

    @property
    def view(self) -> LicenseView:
        """The license behind it."""
        if self._watch is None:
            return invalid_view("UNLICENSED", "No license has been checked yet.")
        return view_of(self._watch.status)

    async def open(self) -> None:
        """Open from the cache at once, else ask the license server, as LICENSE_START_WAIT says.

        The configured license comes first; where it is not usable, the one that was activated here.
        """
        await self._keep_owner(self._owners.renew)
        await self._client.start()
        await self._keep(self._client)
        if not self.is_open:
            await self._take_over()
        self._following = asyncio.create_task(self._follow())

    async def peek(self) -> LicenseView:
        """Return the configured license as the cache has it, or the one activated here."""
        status = await self._client.status()
        owner = None if status.usable else await asyncio.to_thread(self._owners.read)
        if owner is not None:
            with suppress(ConfigurationError):
                status = await self._make_client(owner).status()
        return view_of(status)

    def close(self) -> None:
        """End what looks after the license."""
        if self._following is not None:
            self._following.cancel()
        if self._watch is not None:
            self._watch.stop()

    async def refresh(self) -> None:
        """Look at once: at what was activated, the cache, and the license server when due."""
        if (stamp := self._owners.stamp()) != self._seen:
            self._seen = stamp
            await self._take_over()
        if self._watch is not None:
            await self._watch.look()

    async def activate(self, owner: Owner) -> LicenseView:
        """Put another license under the running gate, if it is usable, and keep its owner.

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
        await self._keep_owner(partial(self._owners.write, owner))
        await self._keep(client)
        return self.view

    async def request_trial(self, email: str) -> None:
        """Ask the vendor for a trial, whose key is mailed to the address.

        Raises:
            LicenseRefusedError: the email is malformed.
            LicenseServerUnreachableError: no license server took the request.
        """
        with _translated():
            await self._client.request_trial(email)

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
            return invalid_view(error.details or error.code, error.message)
        await self.refresh()  # if it was the configured license, its cache has changed
        return view_of(status)

    async def _keep_owner(self, write: Callable[[], None]) -> None:
        try:
            await asyncio.to_thread(write)
        except OSError as error:
            _log.warning("license.owner_unsaved", reason=str(error.strerror))
        self._seen = self._owners.stamp()

    async def _follow(self) -> None:
        """Look whether somebody has activated another license on this machine."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if self._owners.stamp() != self._seen:
                await self.refresh()

    async def _take_over(self) -> None:
        """Go on with the license that was activated here, if it is better than what there is."""
        owner = await asyncio.to_thread(self._owners.read)
        if owner is None:
            return
        try:
            client = self._make_client(owner)
        except ConfigurationError as error:
            _log.warning("license.owner_unusable", reason=str(error))
            return
        status = await client.start()
        if status.usable or self.view.last_verified_at is None:
            await self._keep(client)

    async def _keep(self, client: AsyncLicenseClient) -> None:
        before, watch = self._watch, await client.watch(_log_change)
        self._client, self._watch = client, watch
        if before is not None:
            before.stop()
            _log_change(before.status, watch.status)


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
        return LicenseGate(make_client, _owners_of(environ))
    except ConfigurationError as error:
        raise SettingsError((str(error),)) from error


def _owners_of(environ: Mapping[str, str]) -> OwnerFile:
    """Make the owner's file beside the cache."""
    folder = Path(environ.get("LICENSE_CACHE_DIR") or _CACHE_FOLDER)
    values, _ = with_secret_files(environ, _ENCRYPTION_KEYS)  # the SDK names the mistakes
    current, previous = (values.get(name) for name in _ENCRYPTION_KEYS)
    try:
        keys = RootKeys.parse(current, previous) if current else None
    except ValueError:  # likewise
        keys = None
    return OwnerFile(folder, keys)


def _environment_of(owner: Owner | None, environ: Mapping[str, str]) -> Mapping[str, str]:
    if owner is None:
        return environ
    files = {"LICENSE_KEY_FILE", "LICENSE_EMAIL_FILE"}
    kept = {name: value for name, value in environ.items() if name not in files}
    return {**kept, "LICENSE_KEY": owner.license_key, "LICENSE_EMAIL": owner.email}
