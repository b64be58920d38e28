"""Many licenses over HTTP: exported and imported as streams of lines.

An import is served in this order, so that nothing of it holds unless all of it does:

1. The body is spooled to a file without a name, and every line is judged.
2. In one transaction all lines are stored, while the answer tells the key of each.
3. Once the transaction holds, the last line of the answer says so.
"""

import asyncio
import csv
import io
import json
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from enum import StrEnum
from itertools import islice
from typing import IO, Final

from license_server.admin.imports import Imported, Imports
from license_server.admin.licenses import Licenses, LicenseView
from license_server.api.endpoints import (
    ISSUERS,
    READERS,
    AnyEndpoint,
    Members,
    StreamCall,
    Streamed,
    StreamEndpoint,
)
from license_server.api.import_lines import Reading, csv_lines, named, ndjson_lines
from license_server.api.licenses import LicenseDocument, LicenseFilterQuery
from license_server.errors import BodyTooLarge, FieldError, InvalidField, LicenseServerError
from license_server.stores import Position

NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv"
MAX_IMPORT_BYTES: Final = 2**31
MOST_BAD_LINES: Final = 100
"""An import names so many of its bad lines and stops there."""
_BATCH: Final = 1_000


class Format(StrEnum):
    """How lines are written."""

    NDJSON = "ndjson"
    CSV = "csv"


class ExportQuery(LicenseFilterQuery):
    """Which licenses, and how."""

    format: Format = Format.NDJSON


class ImportQuery(Members):
    """Whether the lines are only judged."""

    dry_run: bool = False


async def _export(call: StreamCall[ExportQuery]) -> Streamed:
    kind = CSV if call.query.format is Format.CSV else NDJSON
    return Streamed(kind, _exported(call))


async def _exported(call: StreamCall[ExportQuery]) -> AsyncIterator[bytes]:
    """Yield licenses page after page, each of a transaction of its own."""
    is_csv = call.query.format is Format.CSV
    if is_csv:
        yield _row(list(LicenseDocument.model_fields))
    after = None
    while True:
        async with call.open_desk() as desk:
            which = call.query.filter(desk)
            views = await Licenses(desk).page(which, after, _BATCH)
        if not views:
            return
        yield b"".join(map(_csv_line if is_csv else _ndjson_line, views))
        last = views[-1].license
        after = Position(last.issued_at, last.license_id)


def _ndjson_line(view: LicenseView) -> bytes:
    return LicenseDocument.of(view).model_dump_json().encode() + b"\n"


def _csv_line(view: LicenseView) -> bytes:
    members = LicenseDocument.of(view).model_dump(mode="json")
    members["entitlements"] = ";".join(members["entitlements"])
    members["metadata"] = json.dumps(members["metadata"]) if members["metadata"] else None
    return _row(list(members.values()))


def _row(cells: Sequence[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


async def _import(call: StreamCall[ImportQuery]) -> Streamed:
    return Streamed(NDJSON, _imported(call))


async def _imported(call: StreamCall[ImportQuery]) -> AsyncIterator[bytes]:
    with tempfile.TemporaryFile() as file:
        await _spool(call, file)
        number = await _judge(call, file)
        if call.query.dry_run:
            yield _line({"valid": number})
            return
        async with call.open_desk() as desk:
            imports = await Imports.at(desk)
            readings = _readings(call, file)
            while batch := list(islice(readings, _BATCH)):
                made = await imports.add([read() for _, read in batch])
                yield b"".join(map(_told, made))
        yield _line({"imported": number})


async def _spool(call: StreamCall[ImportQuery], file: IO[bytes]) -> None:
    size = 0
    async for part in call.body:
        size += len(part)
        if size > MAX_IMPORT_BYTES:
            raise BodyTooLarge(f"The body must be at most {MAX_IMPORT_BYTES} bytes long.")
        file.write(part)


async def _judge(call: StreamCall[ImportQuery], file: IO[bytes]) -> int:
    """Return the number of lines.

    Raises:
        InvalidField: some lines are bad; up to `MOST_BAD_LINES` of them are named.
    """
    async with call.open_desk() as desk:
        imports = await Imports.at(desk)
    errors: list[FieldError] = []
    number = 0
    for number, (line, read) in enumerate(_readings(call, file), start=1):
        try:
            imports.judge(read())
        except LicenseServerError as error:
            errors += named(line, error)
        if len(errors) >= MOST_BAD_LINES:
            break
        if number % _BATCH == 0:
            await asyncio.sleep(0)  # other requests want to be served meanwhile
    if errors:
        raise InvalidField(*errors[:MOST_BAD_LINES])
    return number


def _readings(call: StreamCall[ImportQuery], file: IO[bytes]) -> Iterator[Reading]:
    file.seek(0)
    return csv_lines(file) if call.media_type == CSV else ndjson_lines(file)


def _told(imported: Imported) -> bytes:
    order = imported.line.order
    return _line(
        {
            "line": imported.line.number,
            "id": imported.license_id,
            "email": order.email.address,
            "product": order.product,
            "key": imported.key,
        }
    )


def _line(members: dict[str, object]) -> bytes:
    return json.dumps(members).encode("ascii") + b"\n"


ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    StreamEndpoint(
        "GET", "/v1/admin/licenses/export", "license.export",
        "Stream licenses, oldest first, one a line", READERS, ExportQuery, (), (NDJSON, CSV),
        _export,
    ),
    StreamEndpoint(
        "POST", "/v1/admin/licenses/import", "license.import",
        "Issue a license for each line, all or none, and answer the keys, this once", ISSUERS,
        ImportQuery, (NDJSON, CSV), (NDJSON,), _import,
    ),
)  # fmt: skip
