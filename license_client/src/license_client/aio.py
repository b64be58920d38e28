"""The client for asyncio programs: the same names, awaitable, over the same core.

Each call runs in a daemon thread, so that neither a slow server, nor a slow disk, nor a resolver
that does not answer ever holds the event loop, or the end of the program.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self, TypeVar, Unpack

from license_client._settings import Options
from license_client._status import LicenseStatus
from license_client._watch import LOOK_SECONDS, OnChange, log_exception, tell
from license_client.client import LicenseClient

_Result = TypeVar("_Result")


class AsyncLicenseClient:
    """One license of one program; see `LicenseClient` for what each call does and raises."""

    def __init__(self, **options: Unpack[Options]) -> None:
        self._client = LicenseClient(**options)

    @classmethod
    def from_env(
        cls,
        *,
        product: str,
        trust: bytes | Path | None = None,
        app_version: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Self:
        """Make a client from the environment, as `LicenseClient.from_env` does."""
        client = LicenseClient.from_env(
            product=product, trust=trust, app_version=app_version, environ=environ
        )
        return cls._over(client)

    @classmethod
    def _over(cls, client: LicenseClient) -> Self:
        made = cls.__new__(cls)
        made._client = client  # noqa: SLF001 - this is its constructor
        return made

    async def status(self) -> LicenseStatus:
        """Return the license as it stands now, without asking anybody."""
        return await _in_thread(self._client.status)

    async def start(self) -> LicenseStatus:
        """Return the license to start a program with, whether usable or not."""
        return await _in_thread(self._client.start)

    async def activate(self) -> LicenseStatus:
        """Register this deployment, or refresh it."""
        return await _in_thread(self._client.activate)

    async def validate(self) -> LicenseStatus:
        """Ask for a new decision now."""
        return await _in_thread(self._client.validate)

    async def deactivate(self) -> LicenseStatus:
        """Give this deployment up and empty the cache."""
        return await _in_thread(self._client.deactivate)

    async def check(self, license_key: str, email: str | None = None) -> LicenseStatus:
        """Ask about any license once."""
        return await _in_thread(lambda: self._client.check(license_key, email))

    async def request_trial(self, email: str) -> None:
        """Ask the vendor for a trial, whose key is mailed to the address."""
        await _in_thread(lambda: self._client.request_trial(email))

    async def install(self, file: bytes | Path) -> LicenseStatus:
        """Take in a license file of the vendor's."""
        return await _in_thread(lambda: self._client.install(file))

    async def refresh_if_due(self) -> LicenseStatus:
        """Validate when the server wanted it, otherwise return `status`."""
        return await _in_thread(self._client.refresh_if_due)

    async def watch(self, on_change: OnChange | None = None) -> "AsyncLicenseWatch":
        """Keep the license true in a task of the running loop.

        Args:
            on_change: called in the loop with the old and the new status, when they differ in
                more than times.
        """
        return AsyncLicenseWatch(self, await self.status(), on_change)


class AsyncLicenseWatch:
    """A license and the task that watches over it; made by `AsyncLicenseClient.watch`.

    Attributes:
        status: as of the last look, a few seconds ago at most.
    """

    def __init__(
        self, client: AsyncLicenseClient, status: LicenseStatus, on_change: OnChange | None
    ) -> None:
        self.status = status
        self._client = client
        self._on_change = on_change
        self._looking = asyncio.Lock()
        self._task = asyncio.create_task(self._run())

    async def look(self) -> LicenseStatus:
        """Look now instead of in a few seconds; a look under way is waited for."""
        async with self._looking:
            before, self.status = self.status, await self._client.refresh_if_due()
            tell(self._on_change, before, self.status)
            return self.status

    def stop(self) -> None:
        """End the watch, without waiting for a call that is under way; `status` stays as it is."""
        self._task.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop()

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - the edge of a task, which has to look again
                log_exception("the license could not be looked at", error)
            await asyncio.sleep(LOOK_SECONDS)


async def _in_thread(call: Callable[[], _Result]) -> _Result:
    """Run `call` in a daemon thread; `asyncio.to_thread` would wait for it at exit."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[_Result] = loop.create_future()

    def run() -> None:
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever awaits
            _hand_over(loop, outcome, error)
        else:
            _hand_over(loop, outcome, result)

    threading.Thread(target=run, name="license-client", daemon=True).start()
    return await outcome


def _hand_over(
    loop: asyncio.AbstractEventLoop,
    outcome: "asyncio.Future[_Result]",
    result: _Result | BaseException,
) -> None:
    def settle() -> None:
        if outcome.done():  # nobody waits any more
            return
        if isinstance(result, BaseException):
            outcome.set_exception(result)
        else:
            outcome.set_result(result)

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:
        return  # the loop has ended meanwhile
