"""What goes to the license server and comes back, whoever carries it: bytes, under a deadline."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from license_client._clock import Deadline
from license_client.errors import OfflineError

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


class TlsFiles(NamedTuple):
    """What TLS needs of the disk.

    Attributes:
        ca_file: PEM file of the authorities to trust instead of the usual ones.
        client_cert: PEM file of our own certificate and its key.
    """

    ca_file: Path | None = None
    client_cert: Path | None = None


class Transport(Protocol):
    """What a conversation needs of the network."""

    def send(self, call: Call, deadline: Deadline) -> Reply:
        """Make one exchange, or raise OfflineError."""
        ...


@contextmanager
def loading() -> Iterator[None]:
    """Import what calls alone need.

    Raises:
        OfflineError: the process has no files left to open, or the package is being replaced.
    """
    try:
        yield
    except (ImportError, OSError) as error:
        raise OfflineError(f"the license server was not asked: {error}") from error
