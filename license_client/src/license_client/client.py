"""The client for programs that wait for their calls; `aio` has the one for asyncio."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self, Unpack

from license_client._core import Core
from license_client._credentials import Credentials, read_email, read_key
from license_client._license_file import read_file
from license_client._settings import Options, build_settings
from license_client._status import LicenseStatus
from license_client._watch import LicenseWatch, OnChange
from license_client._wiring import connect


class LicenseClient:
    """One license of one program.

    Nothing goes over the network except in `activate`, `validate`, `deactivate`, `check`,
    `request_trial` and `refresh_if_due`, each of which is over after 5 seconds, in `start`, and in
    the thread of a `watch`. Threads may share a client, and a process may fork.

    Raises:
        ConfigurationError: naming every option that is missing or wrong.
    """

    def __init__(self, **options: Unpack[Options]) -> None:
        self._core = connect(build_settings(options))

    @classmethod
    def from_env(
        cls,
        *,
        product: str,
        trust: bytes | Path | None = None,
        app_version: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Self:
        """Make a client from the environment: LICENSE_SERVER_URL and its like.

        Args:
            product: name of the program, as the vendor's server knows it.
            trust: built-in trust.json; with it LICENSE_TRUST_FILE is refused.
            app_version: version of the program; told to the server.
            environ: what to read instead of `os.environ`.

        Raises:
            ConfigurationError: naming every variable that is missing or wrong.
        """
        from license_client._environment import read_settings  # noqa: PLC0415 - rarely needed

        variables = os.environ if environ is None else environ  # noqa: TID251 - the one place
        return cls._over(connect(read_settings(product, trust, variables, app_version)))

    @classmethod
    def _over(cls, core: Core) -> Self:
        client = cls.__new__(cls)
        client._core = core  # noqa: SLF001 - this is its constructor
        return client

    def status(self) -> LicenseStatus:
        """Return the license as it stands now: never the network, usually one `stat`.

        The cache is read again when its file has changed. Once an hour, and once after a boot of
        the machine, the time is recorded in it.
        """
        return self._core.status()

    def start(self) -> LicenseStatus:
        """Return the license to start a program with, whether usable or not.

        A usable one in the cache is returned at once, without the network. Otherwise this machine
        is activated; a server that does not answer is asked again for `start_wait` seconds.
        What went wrong, on the network or in the settings, is told by `code` and `message`.
        """
        return self._core.start()

    def activate(self) -> LicenseStatus:
        """Register this deployment, or refresh it; a signed no is a status that is not usable.

        Raises:
            OfflineError: no signed answer came.
            RejectedError: what came was not signed for us.
            ConfigurationError: no key, email or server is configured.
        """
        return self._core.ask("activate")

    def validate(self) -> LicenseStatus:
        """Ask for a new decision now; raises as `activate` does."""
        return self._core.ask("validate")

    def deactivate(self) -> LicenseStatus:
        """Give this deployment up and empty the cache; raises as `activate` does."""
        return self._core.ask("deactivate")

    def check(self, license_key: str, email: str | None = None) -> LicenseStatus:
        """Ask about any license once; only the configured one touches the cache.

        Args:
            license_key: as typed.
            email: of its owner; the configured one unless given.

        Raises:
            KeyMalformedError: the key is mistyped; nothing was sent.
            EmailMalformedError: the email is; nothing was sent.
            OfflineError: no signed answer came.
            RejectedError: what came was not signed for us.
            ConfigurationError: no server is configured, or no email.
        """
        owner = self._core.require_email() if email is None else read_email(email)
        return self._core.check(Credentials(read_key(license_key), owner))

    def request_trial(self, email: str) -> None:
        """Ask the vendor for a trial, whose key is mailed to the address: that proves it.

        The server answers the same whether or not the address may have one (it is one trial an
        address and product), so there is nothing to return. Neither key nor email need be
        configured.

        Args:
            email: where the key is to go.

        Raises:
            EmailMalformedError: the email is mistyped; nothing was sent.
            OfflineError: no license server took the request.
            ConfigurationError: no server is configured.
        """
        self._core.request_trial(read_email(email))

    def install(self, file: bytes | Path) -> LicenseStatus:
        """Take in a license file of the vendor's, for a machine that never goes online.

        The file is verified before it touches the cache, and takes the place of what is older;
        the very file that is there already changes nothing. A later answer of the license server
        takes its place in turn.

        Args:
            file: its text, or where it is.

        Raises:
            RejectedError: it is not signed for us, or not newer than what is here (rule
                `not-newer`); the license is unchanged.
            ConfigurationError: no key or email is configured, or the file cannot be read.
        """
        return self._core.install(read_file(file) if isinstance(file, Path) else file)

    def refresh_if_due(self) -> LicenseStatus:
        """Validate when the server wanted it, otherwise return `status`; call it every minute.

        One process of those that share a cache does it; failures are backed off, become a notice
        of the status, and are never raised.
        """
        return self._core.refresh_if_due()

    def watch(self, on_change: OnChange | None = None) -> LicenseWatch:
        """Keep the license true in a thread, for a program that runs for long.

        Args:
            on_change: called in that thread with the old and the new status, when they differ in
                more than times.
        """
        return LicenseWatch(self, on_change)
