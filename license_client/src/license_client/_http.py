"""The way to a license server over HTTP, loaded when it is first gone.

The work is done in `_exchange`, which alone knows httpx: that takes longer to import than a whole
start from the cache.
"""

from typing import TYPE_CHECKING

from license_client._clock import Deadline
from license_client._transport import Call, Reply, TlsFiles, loading

if TYPE_CHECKING:
    import httpx


class HttpTransport:
    """The way to one license server.

    Args:
        server_url: without a trailing slash.
        files: what TLS needs of the disk.
        inner: what carries the requests instead of a network.
    """

    def __init__(
        self,
        server_url: str,
        files: TlsFiles,
        inner: "httpx.BaseTransport | None" = None,
    ) -> None:
        self._server_url = server_url
        self._files = files
        self._inner = inner

    def send(self, call: Call, deadline: Deadline) -> Reply:
        """Make one exchange.

        Raises:
            OfflineError: nothing that looks like an answer came before the deadline.
            ConfigurationError: a file of TLS cannot be used.
        """
        with loading():
            from license_client._exchange import exchange  # noqa: PLC0415 - see the top

        return exchange(
            self._server_url, call, files=self._files, inner=self._inner, deadline=deadline
        )
