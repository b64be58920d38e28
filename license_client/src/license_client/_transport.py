"""The way to the license server: bytes out, bytes back, or OfflineError within a total deadline.

The work is done in `_exchange`, which alone knows httpx. It is loaded with the first call: httpx
takes longer to import than a whole start from the cache.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from license_client._clock import Deadline

if TYPE_CHECKING:
    import httpx

TOTAL_SECONDS: Final = 5.0  # a whole call: the wait for the refresh lock, DNS and every exchange
MAX_ANSWER_BYTES: Final = 64 * 1024


class Reply(NamedTuple):
    """What came back, not yet believed.

    Attributes:
        status: HTTP status.
        body: at most 64 KiB, as sent.
        retry_after_seconds: how long the server asked to be left alone, at most an hour.
    """

    status: int
    body: bytes
    retry_after_seconds: int | None


class Call(NamedTuple):
    """A request: a POST when it has a body, otherwise a GET."""

    path: str
    body: bytes | None = None


class Transport(Protocol):
    """What a conversation needs of the network."""

    def send(self, call: Call, deadline: Deadline) -> Reply:
        """Make one exchange, or raise OfflineError."""
        ...


class HttpTransport:
    """The way to one license server.

    Args:
        server_url: without a trailing slash.
        ca_file: PEM file of the authorities to trust instead of the usual ones.
        inner: what carries the requests instead of a network.
    """

    def __init__(
        self,
        server_url: str,
        ca_file: Path | None = None,
        inner: "httpx.BaseTransport | None" = None,
    ) -> None:
        self._server_url = server_url
        self._ca_file = ca_file
        self._inner = inner

    def send(self, call: Call, deadline: Deadline) -> Reply:
        """Make one exchange.

        Raises:
            OfflineError: nothing that looks like an answer came before the deadline.
            ConfigurationError: the CA file cannot be used.
        """
        from license_client._exchange import exchange  # noqa: PLC0415 - see the top

        return exchange(
            self._server_url, call, ca_file=self._ca_file, inner=self._inner, deadline=deadline
        )
