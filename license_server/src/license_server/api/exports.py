"""Licenses over HTTP, exported as a stream of lines."""

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from typing import Final

from license_server.admin.licenses import Licenses, LicenseView
from license_server.api.cells import guarded_cell
from license_server.api.endpoints import (
    READERS,
    AnyEndpoint,
    StreamCall,
    Streamed,
    StreamEndpoint,
)
from license_server.api.license_filters import LicenseFilterQuery
from license_server.api.licenses import LicenseDocument
from license_server.stores import Position

NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv"
_BATCH: Final = 1_000


class Format(StrEnum):
    """How lines are written."""

    NDJSON = "ndjson"
    CSV = "csv"


class ExportQuery(LicenseFilterQuery):
    """Which licenses, and how."""

    format: Format = Format.NDJSON


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
    guarded = [guarded_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    csv.writer(text, lineterminator="\n").writerow(guarded)
    return text.getvalue().encode()


ENDPOINTS: Final[tuple[AnyEndpoint, ...]] = (
    StreamEndpoint(
        "GET", "/v1/admin/licenses/export", "license.export",
        "Stream licenses, oldest first, one a line", READERS, ExportQuery, (), (NDJSON, CSV),
        _export,
    ),
)  # fmt: skip
