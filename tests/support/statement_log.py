"""What a server asks its PostgreSQL, read off the wire on the way there.

Unlike a log of PostgreSQL it needs no setting of the cluster, and it is complete when the answer
to what was asked is there.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from support.tcp_forwarder import forwarding, free_port, through

_PROTOCOL_3: Final = 196_608
_LENGTH: Final = 4


class StatementLog:
    """The statements of all connections, in the order in which they were run."""

    def __init__(self) -> None:
        self._statements: deque[str] = deque()

    def take(self) -> list[str]:
        """Return what was run since the last call."""
        return [self._statements.popleft() for _ in range(len(self._statements))]

    def connection(self) -> Callable[[bytes], None]:
        """Return the reader of a new connection."""
        return _Connection(self._statements.append).read


class _Connection:
    """Reads one client's side of PostgreSQL's protocol, version 3."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._rest = b""
        self._has_begun = False
        self._prepared: dict[bytes, bytes] = {}

    def read(self, part: bytes) -> None:
        """Take the next bytes."""
        self._rest += part
        while (frame := self._next()) is not None:
            self._understand(frame[:1], frame[1 + _LENGTH :])

    def _next(self) -> bytes | None:
        """Return a whole message with its type, or None until it is whole."""
        start = 1 if self._has_begun else 0
        length = int.from_bytes(self._rest[start : start + _LENGTH])
        if len(self._rest) < start + _LENGTH or len(self._rest) < start + length:
            return None
        frame, self._rest = self._rest[: start + length], self._rest[start + length :]
        if self._has_begun:
            return frame
        self._has_begun = int.from_bytes(frame[_LENGTH : 2 * _LENGTH]) == _PROTOCOL_3
        return b"\0" + frame

    def _understand(self, kind: bytes, content: bytes) -> None:
        first, _, rest = content.partition(b"\0")
        if kind == b"P":
            self._prepared[first] = rest.partition(b"\0")[0]
        elif kind == b"B":
            self._note(self._prepared[rest.partition(b"\0")[0]].decode())
        elif kind == b"Q":
            self._note(first.decode())


@contextmanager
def watched(database_url: str) -> Iterator[tuple[str, StatementLog]]:
    """Yield a URL of the same database, and the log of what comes through it."""
    log, port = StatementLog(), free_port()
    with forwarding(database_url, port, log.connection):
        yield through(database_url, port), log
