"""Rows as lines of text: CSV as COPY writes it (RFC 4180, null as nothing), and NDJSON."""

from typing import Final

from db_api.identifiers import SqlName
from db_api.plan.node import Node

_SPECIAL: Final = frozenset('",\r\n')


def csv_heading(node: Node) -> bytes:
    """Return the line of the names of a node's columns."""
    names = (_unquote(output.name) for output in node.outputs)
    return (",".join(map(_csv_field, names)) + "\n").encode()


def write_csv_rows(node: Node) -> str:
    """Write the lines of all rows of `page`."""
    fields = "||','||".join(_write_csv_field(f"page.{output.name}") for output in node.outputs)
    return f"string_agg({fields or repr('')}, E'\\n')"


def write_ndjson_rows() -> str:
    """Write a line of JSON for each row of `page`."""
    return f"string_agg({write_ndjson_row()} || E'\\n', '')"


def write_ndjson_row() -> str:
    """Write a row of `page` as one line: between the values of JSON, a line end is a space."""
    return "translate(row_to_json(page.*)::text, E'\\n\\r', '  ')"


def _write_csv_field(value: str) -> str:
    text = f"({value})::text"
    quoted = f"'\"' || replace({text}, '\"', '\"\"') || '\"'"
    is_special = f"{text} = '' OR {text} ~ E'[\",\\r\\n]'"
    return f"CASE WHEN {text} IS NULL THEN '' WHEN {is_special} THEN {quoted} ELSE {text} END"


def _csv_field(text: str) -> str:
    if not _SPECIAL.intersection(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def _unquote(name: SqlName) -> str:
    return name[1:-1].replace('""', '"')
