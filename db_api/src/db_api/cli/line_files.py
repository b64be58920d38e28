"""Files of rows, one a line: which form they have, and how far they are."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from db_api.grammar.media import LineForm

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

_SUFFIXES: Final[dict[str, LineForm]] = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}

form_option = click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "ndjson"]),
    help="Of the file; by default as its name ends.",
)


def form_of(name: str) -> LineForm:
    """Tell the form of a file from its name."""
    form = _SUFFIXES.get(Path(name).suffix.lower())
    if form is None:
        raise click.UsageError(
            f"{name} does not end with {', '.join(_SUFFIXES)}: say --format csv or --format ndjson"
        )
    return form


def progress(label: str, length: int | None) -> "ProgressBar[int]":
    """Make a progress bar, which is seen on a terminal alone, and where the length is known."""
    is_hidden = length is None or not sys.stderr.isatty()
    return click.progressbar(length=length or 0, label=label, file=sys.stderr, hidden=is_hidden)
