"""Reads the answers of PostgreSQL, and never holds more of one than a bound.

The driver keeps a value of 300 MB several times before anybody can look at it. Here the length that
each message declares decides before its bytes are kept: a row that is too large is passed over.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from db_api.errors import NotReadyError, StatementUnsupportedError
from db_api.user_sql import wire
from db_api.user_sql.refusals import copy_refused, refusal

_MAX_MESSAGE_BYTES: Final = 1024 * 1024
"""Of any message but a row; the widest description of 1,664 columns has some 150 kB."""

_COPY: Final = frozenset(b"GHW")
_ERROR, _ROW, _READY = b"EDZ"
_ENCODING: Final = ("client_encoding", "UTF8")


class RowTaker:
    """What becomes of the rows of an answer; this one leaves them."""

    max_row_bytes: int = 0

    def take(self, _row: wire.Row) -> bool:
        """Take a row; False = the rest is not wanted."""
        return True

    def pass_over(self) -> bool:
        """Learn of a row that was too large to be kept; False = the rest is not wanted."""
        return True


@dataclass(slots=True)
class Reply:
    """What PostgreSQL answered up to a Sync.

    Attributes:
        parameter_types: of the statement that was prepared.
        columns: of the last statement that has a result.
        tag: what the last statement did, empty when it was no statement at all.
    """

    parameter_types: tuple[int, ...] = ()
    columns: tuple[wire.WireColumn, ...] = ()
    tag: str = ""
    failure: Exception | None = None
    done: "asyncio.Future[None]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Channel(asyncio.Protocol):
    """The far end of an authenticated connection, taken over from the driver.

    Args:
        driver: what read the connection before; it still learns of the end.
        transport: the connection.
    """

    def __init__(self, driver: asyncio.BaseProtocol, transport: asyncio.Transport) -> None:
        self._driver = driver
        self._transport = transport
        self._received = bytearray()
        self._left_to_skip = 0
        self._rows = RowTaker()
        self._reply: Reply | None = None
        self._is_at_rest = True
        self._lost = asyncio.Event()

    @property
    def is_at_rest(self) -> bool:
        """Tell whether PostgreSQL waits for us: it would obey a Terminate at once."""
        return self._is_at_rest and not self._lost.is_set()

    async def ask(self, messages: bytes, rows: RowTaker | None = None) -> Reply:
        """Send messages and a Sync, or a simple query; return once PostgreSQL is ready again.

        Also returns when `rows` want no more: then the channel is not at rest.

        Raises:
            RestError: PostgreSQL refused a statement.
            StatementUnsupportedError: it did what cannot be answered.
            NotReadyError: the connection is gone.
        """
        self._rows = rows or RowTaker()
        self._reply = reply = Reply()
        if self._lost.is_set():
            raise _gone()
        self._is_at_rest = False
        self._transport.write(messages)
        try:
            await reply.done
        finally:
            self._reply = None
        if reply.failure is not None:
            raise reply.failure
        return reply

    def send(self, message: bytes) -> None:
        """Send a message that has no answer."""
        self._transport.write(message)

    async def until_lost(self) -> None:
        """Return when the other side has closed the connection."""
        await self._lost.wait()

    # What the transport calls

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._received += data
        while self._take_message():
            pass

    def connection_lost(self, exc: Exception | None) -> None:
        """Learn that the connection is gone."""
        self._lost.set()
        if self._reply is not None and self._reply.failure is None:
            self._reply.failure = _gone()
        self._finish()
        self._driver.connection_lost(exc)

    # What was received

    def _take_message(self) -> bool:
        """Take one message out of what was received, or tell that it is not whole yet."""
        if self._left_to_skip:
            skipped = min(self._left_to_skip, len(self._received))
            del self._received[:skipped]
            self._left_to_skip -= skipped
        if self._left_to_skip or len(self._received) < wire.HEADER_BYTES:
            return False
        kind = self._received[0]
        length = int.from_bytes(self._received[1 : wire.HEADER_BYTES]) - 4
        kept = self._kept_of(kind, length)
        end = wire.HEADER_BYTES + kept
        if len(self._received) < end:
            return False
        body = bytes(self._received[wire.HEADER_BYTES : end])
        del self._received[:end]
        self._left_to_skip = length - kept
        self._understand(kind, body, is_whole=kept == length)
        return True

    def _kept_of(self, kind: int, length: int) -> int:
        """Say how many bytes of a message are worth keeping: of an error its beginning."""
        if self._reply is None:
            return 0
        if kind == _ROW:
            return length if length <= self._rows.max_row_bytes else 0
        return min(length, _MAX_MESSAGE_BYTES)

    def _understand(self, kind: int, body: bytes, *, is_whole: bool) -> None:
        reply = self._reply
        if kind == _READY:
            self._is_at_rest = True
            self._finish()
        elif reply is None:
            return
        elif kind == _ROW:
            wants_more = (
                self._rows.take(wire.read_row(body)) if is_whole else self._rows.pass_over()
            )
            if not wants_more:
                self._finish()
        elif kind == _ERROR:
            reply.failure = reply.failure or refusal(wire.read_fields(body))
        elif kind in _COPY:
            reply.failure = copy_refused()
            self._finish()
        else:
            _READERS.get(kind, _ignore)(reply, body)

    def _finish(self) -> None:
        if self._reply is not None and not self._reply.done.done():
            self._reply.done.set_result(None)
        self._reply = None


def _gone() -> NotReadyError:
    return NotReadyError(
        "The database ended the connection before it answered.", hint="Try again in a few seconds."
    )


def _note_parameters(reply: Reply, body: bytes) -> None:
    reply.parameter_types = wire.read_parameter_types(body)


def _note_columns(reply: Reply, body: bytes) -> None:
    reply.columns = wire.read_columns(body)


def _note_tag(reply: Reply, body: bytes) -> None:
    reply.tag = wire.read_tag(body)


def _note_setting(reply: Reply, body: bytes) -> None:
    name, value = wire.read_setting(body)
    if name == _ENCODING[0] and value != _ENCODING[1]:
        reply.failure = StatementUnsupportedError(
            "The statement changed client_encoding.", hint="Answers are in UTF-8; leave it so."
        )


def _ignore(_reply: Reply, _body: bytes) -> None:
    """Leave what tells nothing here: notices, notifications, what was parsed and bound."""


_READERS: Final[dict[int, Callable[[Reply, bytes], None]]] = {
    ord("t"): _note_parameters,
    ord("T"): _note_columns,
    ord("C"): _note_tag,
    ord("S"): _note_setting,
}
