"""`db-api export`: the rows of a table into a file."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import click

from db_api.answers import Answer
from db_api.callers import Caller
from db_api.catalog import Catalog
from db_api.cli.data_side import with_database
from db_api.cli.exits import FAILED, end
from db_api.cli.line_files import form_of, form_option, progress
from db_api.cli.table_names import TableName, table_argument
from db_api.engine import Engine
from db_api.execution import Database
from db_api.grammar.media import LineForm
from db_api.grammar.request import Request, read_request
from db_api.policies import CallerLimits, EngineLimits

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

_EPILOG: Final = """\b
Examples:
  db-api export shop.products -o products.csv
  db-api export shop.products --format ndjson --query 'price=gt.10&select=id,name&order=id'

\b
The query is one of /rest/v1: filters, select, order, limit and offset. A file gets its name once
all rows are in it."""

_MEDIA_TYPES: Final[dict[LineForm, bytes]] = {"csv": b"text/csv", "ndjson": b"application/x-ndjson"}
_PATIENCE_MS: Final = 3_600_000
_LOCK_TIMEOUT_MS: Final = 10_000


@click.command(epilog=_EPILOG)
@table_argument
@click.option("-o", "--output", help="File to write; standard output if missing.")
@form_option
@click.option("--query", default="", help="Which rows, as in a URL of /rest/v1.")
def export(*, table: TableName, output: str | None, form: LineForm | None, query: str) -> None:
    """Write the rows of a table as CSV or NDJSON."""
    form = form or (form_of(output) if output else "csv")
    if output is None:
        _write(table, form, query, sys.stdout.buffer)
        return
    path = Path(output)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            _write(table, form, query, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        end(FAILED, f"db-api: {output} cannot be written: {error.strerror}")
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _write(table: TableName, form: LineForm, query: str, file: IO[bytes]) -> None:
    async def run(database: Database, catalog: Catalog) -> None:
        request = read_request(
            "GET", table.table, query.encode(), [(b"accept", _MEDIA_TYPES[form])]
        )
        _, known = await catalog.find(table.schema, table.table)
        length = known.row_estimate if known is not None and not query else None
        with progress("export", length) as bar:
            await _export(database, catalog, table, request, _FileOutlet(file, bar))
        if form == "csv":
            file.write(b"\n")  # an answer has none after its last line

    with_database(run)


async def _export(
    database: Database, catalog: Catalog, table: TableName, request: Request, outlet: "_FileOutlet"
) -> None:
    limits = CallerLimits(_PATIENCE_MS, max_rows=1, aggregates=True)
    engine = Engine(database, catalog, EngineLimits(limits, limits, _LOCK_TIMEOUT_MS))
    await engine.answer(Caller(table.schema, "admin", ""), request, b"", outlet)


class _FileOutlet:
    """Writes an answer to a file, as `Outlet`."""

    kept = b""

    def __init__(self, file: IO[bytes], bar: "ProgressBar[int]") -> None:
        self._file = file
        self._bar = bar

    def open(self, head: Answer) -> None:
        """Take no notice of the headers."""

    async def write(self, data: bytes) -> None:
        """Write a part; a file that is slow blocks nobody else here."""
        self._file.write(data)
        self._bar.update(data.count(b"\n"))
