"""The way to a license server over HTTP, loaded when it is first gone.

The work is done in `_exchange`, which alone knows httpx: that takes longer to import than a whole
start from the cache.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from license_client._clock import Deadline
from license_client._transport import Call, Reply, TlsFiles, loading

if TYPE_CHECKING:
    import httpx

_COMMAND_LINE: Final = "httpx._main"


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
        with loading(), _without_a_command_line():
            from license_client._exchange import exchange  # noqa: PLC0415 - see the top

        return exchange(
            self._server_url, call, files=self._files, inner=self._inner, deadline=deadline
        )


@contextmanager
def _without_a_command_line() -> Iterator[None]:
    """Have httpx loaded without its own command line, as it is where click and rich are missing.

    With them it takes more than twice the time, on the first call of a program that does other
    things too, and 7 MB more. Whoever has loaded httpx before keeps it as it is.
    """
    if "httpx" in sys.modules:
        yield
        return
    sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]  # as import says "not there"
    try:
        yield
    finally:
        sys.modules.pop(_COMMAND_LINE, None)
