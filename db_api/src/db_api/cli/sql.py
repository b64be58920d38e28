"""`db-api sql`: a small shell for statements."""

import asyncio
import csv
import json
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Literal

import click

from db_api.cli.environment import database_url
from db_api.cli.exits import FAILED, end, reported
from db_api.cli.schema_names import read_schema
from db_api.errors import InvalidRequestError
from db_api.user_sql.pages import JsonPage, Page, PageLimits
from db_api.user_sql.refusals import StatementRefusedError
from db_api.user_sql.runner import Outcome, Terms, run_statement

_EPILOG: Final = """\b
Examples:
  db-api sql 'SELECT id, name FROM products' --schema shop
  db-api sql 'UPDATE products SET price = 9 WHERE id = 1' --schema shop --write
  db-api sql --csv < report.sql > report.csv
  db-api sql --schema shop            # a shell: statements end with ; and \\q leaves

\b
A statement runs in a transaction of its own, which only reads and ends in ROLLBACK; with --write it
is committed."""

_MAX_BYTES: Final = 256 * 1024 * 1024
_LOCK_TIMEOUT_MS: Final = 10_000
_LEAVE: Final = r"\q"
_CLOSED: Final = re.compile(
    r"""'(?:[^']|'')*'|"[^"]*"|--[^\n]*|/\*.*?\*/|(\$\w*\$).*?\1""", re.DOTALL
)
_OPEN: Final = re.compile(r"""['"]|/\*|\$\w*\$""")

Form = Literal["table", "json", "csv"]


@click.command(epilog=_EPILOG)
@click.argument("statement", required=False)
@click.option("--schema", default="public", show_default=True, callback=read_schema)
@click.option("--write", is_flag=True, help="Let statements write, and commit each of them.")
@click.option("--json", "form", flag_value="json", help="Print data, rowCount and truncated.")
@click.option("--csv", "form", flag_value="csv", help="Print rows under a line of names.")
@click.option("--max-rows", type=click.IntRange(1), default=10_000, show_default=True)
@click.option("--timeout", type=click.IntRange(1, 86_400), default=30, show_default=True)
def sql(
    *,
    statement: str | None,
    schema: str,
    write: bool,
    form: Form | None,
    max_rows: int,
    timeout: int,
) -> None:
    """Run a statement: the one given, that of standard input, or each that is typed."""
    with reported():
        url = database_url()
    terms = Terms(schema, write, PageLimits(max_rows, _MAX_BYTES), timeout * 1000, _LOCK_TIMEOUT_MS)
    if statement is not None:
        _run(url, terms, statement, form or "table")
    elif sys.stdin.isatty():
        _talk(lambda text: _run(url, terms, text, form or "table"))
    else:
        _run(url, terms, sys.stdin.read(), form or "table")


def _run(url: str, terms: Terms, text: str, form: Form) -> None:
    text = text.strip().removesuffix(";")  # which is no part of a cursor's query
    with reported():
        if "\0" in text:
            raise InvalidRequestError("A statement holds no NUL.")
        try:
            page = JsonPage if form == "json" else Page
            outcome = asyncio.run(run_statement(url, terms, text, (), page))
        except StatementRefusedError as error:
            where = "" if error.position is None else f" (at character {error.position})"
            more = [told for told in (error.details, error.hint) if isinstance(told, str)]
            end(FAILED, f"db-api: {error.code} {error.message}{where}", *more)
    _FORMS[form](outcome)
    if outcome.is_truncated:
        click.echo(f"There are more rows than these: --max-rows {terms.limits.max_rows}", err=True)


def _talk(run: Callable[[str], None]) -> None:
    """Take statements from a terminal, as many lines each as it takes."""
    with suppress(ImportError):
        import readline  # noqa: F401, PLC0415 - arrow keys and history, where there is a terminal
    kept = ""
    while True:
        try:
            line = input("      > " if kept else "db-api> ")
        except KeyboardInterrupt:
            kept = ""
            click.echo()
            continue
        except EOFError:
            click.echo()
            return
        if line.strip() == _LEAVE:
            return
        kept = f"{kept}\n{line}" if kept else line
        if is_whole(kept):
            with suppress(SystemExit):  # a statement that fails is followed by the next one
                run(kept)
            kept = ""
        elif not kept.strip():
            kept = ""


def is_whole(text: str) -> bool:
    """Tell whether a statement ends here: with a semicolon outside of quotes and comments."""
    rest = _CLOSED.sub(" ", text)
    return rest.rstrip().endswith(";") and not _OPEN.search(rest)


def _cells(outcome: Outcome) -> list[list[str | None]]:
    return [json.loads(row) for row in outcome.rows]


def _print_table(outcome: Outcome) -> None:
    if outcome.columns:
        names = [column.name for column in outcome.columns]
        rows = [[_shown(cell) for cell in row] for row in _cells(outcome)]
        widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
        click.echo(_line(names, widths))
        click.echo("-+-".join("-" * width for width in widths))
        for row in rows:
            click.echo(_line(row, widths))
    click.echo(f"({outcome.row_count} rows)")


def _shown(cell: str | None) -> str:
    return "" if cell is None else json.dumps(cell, ensure_ascii=False)[1:-1].replace('\\"', '"')


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
    return " | ".join(padded).rstrip()


def _print_json(outcome: Outcome) -> None:
    rest = {"rowCount": outcome.row_count, "truncated": outcome.is_truncated}
    data = b",".join(outcome.rows).decode()
    click.echo(f'{{"data":[{data}],{json.dumps(rest)[1:]}')


def _print_csv(outcome: Outcome) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(column.name for column in outcome.columns)
    writer.writerows(_cells(outcome))


_FORMS: Final[dict[Form, Callable[[Outcome], None]]] = {
    "table": _print_table,
    "json": _print_json,
    "csv": _print_csv,
}
