"""Put the parts of a client together: the only place that names the concrete ones."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from license_client._clock import Clock, Deadline, SystemClock
from license_client._core import Core
from license_client._settings import Settings
from license_client._transport import TOTAL_SECONDS, Call, Reply, TlsFiles, loading

if TYPE_CHECKING:
    import httpx


class HttpTransport(NamedTuple):
    """The way to one license server over HTTP, loaded when it is first gone.

    The work is done in `_exchange`, which alone knows httpx: that takes longer to import than a
    whole start from the cache.

    Attributes:
        server_url: without a trailing slash.
        files: what TLS needs of the disk.
        inner: what carries the requests instead of a network.
    """

    server_url: str
    files: TlsFiles
    inner: "httpx.BaseTransport | None" = None

    def send(self, call: Call, deadline: Deadline) -> Reply:
        """Make one exchange.

        Raises:
            OfflineError: nothing that looks like an answer came before the deadline.
            ConfigurationError: a file of TLS cannot be used.
        """
        with loading():
            from license_client._exchange import exchange  # noqa: PLC0415 - the reason is above

        return exchange(
            self.server_url, call, files=self.files, inner=self.inner, deadline=deadline
        )


def connect(
    settings: Settings,
    *,
    clock: Clock | None = None,
    inner: "httpx.BaseTransport | None" = None,
    chance: Callable[[], float] | None = None,
    total_seconds: float = TOTAL_SECONDS,
) -> Core:
    """Make the core of a client.

    Args:
        settings: checked ones.
        clock: other than that of the machine.
        inner: what carries requests instead of a network.
        chance: other source of random numbers of 0..1.
        total_seconds: how long a call may take in all.
    """
    url = settings.server_url
    files = TlsFiles(settings.ca_file, settings.client_cert)
    transport = HttpTransport(url, files, inner) if url else None
    return Core(settings, clock or SystemClock(), transport, chance or _chance, total_seconds)


def _chance() -> float:
    # As secrets.SystemRandom does it, without loading what that stands on at each start.
    return int.from_bytes(os.urandom(7)) / 2**56
