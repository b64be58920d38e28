"""`db-api import`: the rows of a file into a table."""

import csv
import json
import os
from collections.abc import AsyncIterator, Callable
from typing import IO, Final

import click

from db_api.callers import Caller
from db_api.catalog import Catalog
from db_api.cli.data_side import with_database
from db_api.cli.exits import FAILED, end
from db_api.cli.line_files import form_of, form_option, progress
from db_api.cli.table_names import TableName, table_argument
from db_api.connections import Connection
from db_api.engine import Engine
from db_api.execution import Database, Terms
from db_api.grammar.body import JsonBody
from db_api.grammar.lines import LineReader
from db_api.grammar.media import LineForm
from db_api.grammar.request import read_request
from db_api.policies import CallerLimits, EngineLimits

_EPILOG: Final = """\b
Examples:
  db-api import shop.products products.csv
  db-api export shop.products | db-api import archive.products - --format csv

\b
CSV is as `db-api export` and PostgreSQL's COPY write it: a line of column names, then values;
nothing is null, "" is the empty text. NDJSON is one JSON object a line, all with equal members."""

_STDIN: Final = "-"
_PART_BYTES: Final = 64 * 1024
_MAX_ROW_BYTES: Final = 64 * 1024 * 1024
_LOCK_TIMEOUT_MS: Final = 10_000
_BATCH_TIMEOUT_MS: Final = 600_000

Advance = Callable[[int], None]


@click.command("import", epilog=_EPILOG)
@table_argument
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@form_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def import_(*, table: TableName, file: str, form: LineForm | None, as_json: bool) -> None:
    """Insert the rows of a CSV or NDJSON file (- is standard input), all of them or none."""
    form = form or form_of(file)
    with click.open_file(file, "rb") as source:
        size = None if file == _STDIN else os.fstat(source.fileno()).st_size
        with progress("import", size) as bar:
            insert = _copy if form == "csv" else _load
            rows = with_database(
                lambda database, catalog: insert(database, catalog, table, source, bar.update)
            )
    click.echo(json.dumps({"rows": rows}) if as_json else f"{rows} rows are imported.")


async def _copy(
    database: Database, _catalog: Catalog, table: TableName, source: IO[bytes], advance: Advance
) -> int:
    """Copy CSV in: PostgreSQL reads what it wrote, null and the empty text apart."""
    heading = source.readline()
    try:
        columns = [name for row in csv.reader([heading.decode()], strict=True) for name in row]
    except (UnicodeDecodeError, csv.Error):
        columns = []
    if not columns:
        end(FAILED, "db-api: the file does not begin with a line of column names")

    async def lines() -> AsyncIterator[bytes]:
        yield heading
        while part := source.read(_PART_BYTES):
            yield part
            advance(len(part))

    async def run(connection: Connection) -> str:
        return await connection.copy_to_table(
            table.table,
            schema_name=table.schema,
            columns=columns,
            source=lines(),
            format="csv",
            header=True,
        )

    terms = Terms(
        schema=table.schema,
        is_read_only=False,
        statement_timeout_ms=0,
        lock_timeout_ms=_LOCK_TIMEOUT_MS,
        is_watched=True,
    )
    return int((await database.run(terms, run)).rpartition(" ")[2])


async def _load(
    database: Database, catalog: Catalog, table: TableName, source: IO[bytes], advance: Advance
) -> int:
    """Insert lines of JSON as the data side does."""
    rows = _FileRows(source, advance)
    limits = CallerLimits(_BATCH_TIMEOUT_MS, max_rows=1)
    engine = Engine(database, catalog, EngineLimits(limits, limits, _LOCK_TIMEOUT_MS))
    headers = [(b"content-type", b"application/x-ndjson"), (b"prefer", b"count=exact")]
    request = read_request("POST", table.table, b"", headers)
    answer = await engine.load(Caller(table.schema, "admin", ""), request, rows)
    return int(dict(answer.headers)["Content-Range"].rpartition("/")[2])


class _FileRows:
    """The rows of a file of NDJSON, some at a time."""

    def __init__(self, source: IO[bytes], advance: Advance) -> None:
        self._source = source
        self._advance = advance
        self._is_over = False
        self._reader = LineReader(
            "ndjson", needs_keys=True, batch_bytes=_PART_BYTES, max_row_bytes=_MAX_ROW_BYTES
        )

    async def next(self) -> JsonBody | None:
        while part := self._source.read(_PART_BYTES):
            self._advance(len(part))
            rows = self._reader.feed(part)
            if rows is not None:
                return rows
        if self._is_over:
            return None
        self._is_over = True
        return self._reader.end()
