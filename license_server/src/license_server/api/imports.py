"""Licenses over HTTP, imported as a stream of lines.

Nothing of an import holds unless all of it does:

1. The body is spooled to a file without a name.
2. If an import of the same Idempotency-Key holds already, go on at 5.
3. Each line is judged; what comes of the good ones is on its way to the database.
4. In one transaction all of it is stored, with a sealed copy of the answer under the key.
5. The copy is answered, which no earlier step has begun: status 200 says that the import holds.

A client that leaves before step 4 has ended leaves nothing behind, or an import whose keys it gets
by the same request again. The copy is erased after a day, as all kept answers are.
"""

import asyncio
import hashlib
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import IO, Final, TypeVar

from license_server.admin.imports import Imports, Line, Made
from license_server.api.endpoints import (
    ISSUERS,
    AnyEndpoint,
    Members,
    StreamCall,
    Streamed,
    StreamEndpoint,
)
from license_server.api.exports import CSV, NDJSON
from license_server.api.import_lines import Reading, csv_lines, named, ndjson_lines
from license_server.desk import Desk
from license_server.errors import (
    BodyTooLarge,
    FieldError,
    IdempotencyConflict,
    InvalidField,
    LicenseServerError,
    StateConflict,
)
from license_server.spools import Spool
from license_server.stores import Import

MAX_IMPORT_BYTES: Final = 2**31
MOST_BAD_LINES: Final = 100
"""An import names so many of its bad lines and stops there."""
_LINES_A_TURN: Final = 20
"""After so many lines, one or two milliseconds, other requests have their turn."""
_PART_BYTES: Final = 128 * 1024
_PARTS_A_READ: Final = 10

_Result = TypeVar("_Result")


class ImportQuery(Members):
    """Whether the lines are only judged."""

    dry_run: bool = False


async def _import(call: StreamCall[ImportQuery]) -> Streamed:
    with tempfile.TemporaryFile() as file:
        fingerprint = await _spool(call, file)
        if call.query.dry_run:
            number = await _judge(call, file)
            return Streamed(NDJSON, _one(_line({"valid": number})))
        key = _require_key(call)
        async with call.open_desk() as desk:
            kept = await desk.transaction.idempotency.find(desk.actor, key)
            imports = await Imports.at(desk)
        if kept is None:
            await _Import(call, desk, imports, key, fingerprint).run(file)
        elif kept.fingerprint != fingerprint:
            raise IdempotencyConflict(
                "this Idempotency-Key was used for another request: draw a new one"
            )
    return Streamed(NDJSON, _kept_answer(call, key), is_replayed=kept is not None)


async def _spool(call: StreamCall[ImportQuery], file: IO[bytes]) -> bytes:
    """Write the body to a file and return what tells it from others, 32 bytes."""
    size, digest = 0, hashlib.sha256(call.media_type.encode() + b"\0")
    async for part in call.body:
        size += len(part)
        if size > MAX_IMPORT_BYTES:
            raise BodyTooLarge(f"The body must be at most {MAX_IMPORT_BYTES} bytes long.")
        digest.update(part)
        file.write(part)
    return digest.digest()


async def _judge(call: StreamCall[ImportQuery], file: IO[bytes]) -> int:
    """Return the number of lines, all of which are good."""
    async with call.open_desk() as desk:
        imports = await Imports.at(desk)
    batches = _worked(_readings(call, file), imports.make)
    return sum([len(batch) async for batch in batches])


class _Import:
    """An import under way.

    Args:
        call: asks for it.
        desk: who does it, and when.
        imports: makes licenses.
        key: its Idempotency-Key.
        fingerprint: of its body.
    """

    def __init__(
        self,
        call: StreamCall[ImportQuery],
        desk: Desk,
        imports: Imports,
        key: str,
        fingerprint: bytes,
    ) -> None:
        self._call = call
        self._desk = desk
        self._imports = imports
        self._key = key
        self._fingerprint = fingerprint

    async def run(self, file: IO[bytes]) -> None:
        """Judge and store all lines.

        Raises:
            InvalidField: some lines are bad; up to `MOST_BAD_LINES` of them are named.
            StateConflict: a line asks for a second trial, or the same import came twice at once.
        """
        with Spool[bytes]() as parts:
            answer = _Answer(parts, self._desk, self._key)
            async with self._call.open_import(self._desk.now) as under_way:
                async for batch in _worked(_readings(self._call, file), self._imports.make):
                    await under_way.add([made.prepared for made in batch])
                    answer.tell(batch)
                answer.finish()
                await self._finish(under_way, parts)

    async def _finish(self, under_way: Import, parts: Iterable[bytes]) -> None:
        async with under_way.finished() as transaction:
            store, actor, now = transaction.idempotency, self._desk.actor, self._desk.now
            if await store.claim(actor, self._key, self._fingerprint, now) is not None:
                raise StateConflict("this import came twice at once: ask again for its answer")
            for number, sealed in enumerate(parts):
                await store.keep_part(actor, self._key, number, sealed, now)


class _Answer:
    """What an import will be answered, sealed part by part.

    Args:
        parts: empty; gets them.
        desk: who will be answered.
        key: the Idempotency-Key.
    """

    def __init__(self, parts: Spool[bytes], desk: Desk, key: str) -> None:
        self._parts = parts
        self._desk = desk
        self._key = key
        self._number = 0
        self._lines = 0
        self._waiting = bytearray()

    def tell(self, batch: Sequence[Made]) -> None:
        """Tell what came of some lines."""
        self._lines += len(batch)
        self._waiting += b"".join(map(_told, batch))
        if len(self._waiting) >= _PART_BYTES:
            self._seal()

    def finish(self) -> None:
        """Tell that this was all."""
        self._waiting += _line({"imported": self._lines})
        self._seal()

    def _seal(self) -> None:
        context = _part_context(self._desk, self._key, self._number)
        self._parts.add(self._desk.vault.sealer.seal_bytes(bytes(self._waiting), context))
        self._number += 1
        self._waiting.clear()


async def _kept_answer(call: StreamCall[ImportQuery], key: str) -> AsyncIterator[bytes]:
    """Yield the parts of an answer; no transaction waits while the client reads."""
    start = 0
    while True:
        async with call.open_desk() as desk:
            store = desk.transaction.idempotency
            sealed = await store.parts(desk.actor, key, start, _PARTS_A_READ)
        if not sealed:
            return
        for number, part in enumerate(sealed, start):
            yield desk.vault.sealer.unseal_bytes(part, _part_context(desk, key, number))
        start += len(sealed)


def _part_context(desk: Desk, key: str, number: int) -> str:
    """Return what the seal of a part is bound to."""
    return f"idempotency.part.{number}.{desk.actor}.{key}"


async def _worked(
    readings: Iterator[Reading], work: Callable[[Line], _Result]
) -> AsyncIterator[Sequence[_Result]]:
    """Yield what comes of lines, batch by batch, until the first bad one; judge all the same.

    Raises:
        InvalidField: some lines are bad; up to `MOST_BAD_LINES` of them are named.
    """
    errors: list[FieldError] = []
    while len(errors) < MOST_BAD_LINES and (batch := list(islice(readings, _LINES_A_TURN))):
        results = []
        for number, read in batch:
            try:
                results.append(work(read()))
            except LicenseServerError as error:
                errors += named(number, error)
        await asyncio.sleep(0)
        if not errors:
            yield results
    if errors:
        raise InvalidField(*errors[:MOST_BAD_LINES])


def _readings(call: StreamCall[ImportQuery], file: IO[bytes]) -> Iterator[Reading]:
    file.seek(0)
    return csv_lines(file) if call.media_type == CSV else ndjson_lines(file)


def _require_key(call: StreamCall[ImportQuery]) -> str:
    if call.idempotency_key is None:
        expected = "a text of your own is expected, by which to ask again for the keys of an import"
        raise InvalidField(FieldError("Idempotency-Key", expected))
    return call.idempotency_key


async def _one(part: bytes) -> AsyncIterator[bytes]:
    yield part


def _told(made: Made) -> bytes:
    order = made.line.order
    return _line(
        {
            "line": made.line.number,
            "id": made.prepared.new.license.license_id,
            "email": order.email.address,
            "product": order.product,
            "key": made.key,
        }
    )


def _line(members: dict[str, object]) -> bytes:
    return json.dumps(members).encode("ascii") + b"\n"


ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    StreamEndpoint(
        "POST", "/v1/admin/licenses/import", "license.import",
        "Issue a license for each line, all or none, and answer their keys", ISSUERS,
        ImportQuery, (NDJSON, CSV), (NDJSON,), _import,
    ),
)  # fmt: skip
