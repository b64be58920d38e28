"""What commands print: results on stdout, everything else on stderr."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import click

from license_server.spans import span_text

_SECONDS: Final = "_seconds"

Record = Mapping[str, object]

as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON, for scripts.")


def print_json(result: Record | Sequence[Record]) -> None:
    """Print a result for a script."""
    click.echo(json.dumps(result, indent=2))


def show(record: Record, *, is_json: bool) -> None:
    """Print one thing, for a script or for a person."""
    if is_json:
        print_json(record)
    else:
        print_record(record)


def show_all(
    records: Sequence[Record], columns: Sequence[str], *, is_json: bool, nothing: str
) -> None:
    """Print many things: all their members for a script, some of them for a person."""
    if is_json:
        print_json(records)
        return
    rows = [{name: record[name] for name in columns} for record in records]
    print_table(rows, nothing=nothing)


def print_record(record: Record) -> None:
    """Print one thing for a person: a line for each member."""
    width = max(len(_words(name)) for name in record)
    for name, value in record.items():
        click.echo(f"{_words(name):<{width}}  {_text(name, value)}")


def print_table(records: Sequence[Record], *, nothing: str) -> None:
    """Print many things for a person: a line each, or `nothing` on stderr if there are none."""
    if not records:
        say(nothing)
        return
    lines = [[_words(name).upper() for name in records[0]]]
    lines += [[_text(name, value) for name, value in record.items()] for record in records]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def say(text: str) -> None:
    """Tell a person something that is no result."""
    click.echo(text, err=True)


def iso(instant: datetime | None) -> str | None:
    """Return an instant as scripts read it: UTC, whole seconds."""
    return None if instant is None else instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def _words(name: str) -> str:
    return name.removesuffix(_SECONDS).replace("_", " ")


def _text(name: str, value: object) -> str:
    if value is None:
        return "-"
    if name.endswith(_SECONDS):
        lengths = value if isinstance(value, list) else [value]
        return ", ".join(span_text(timedelta(seconds=int(str(one)))) for one in lengths) or "-"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{name}={number}" for name, number in value.items()) or "-"
    return str(value)
