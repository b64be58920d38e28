"""The rows of a body as a SELECT."""

from typing import Final

from db_api.plan.model import Incoming, Target
from db_api.sql.writer import Writer

INCOMING: Final = "b"
"""What the rows of a body are called in their SELECT."""


def write_incoming(writer: Writer, rows: Incoming) -> str:
    """Write the rows of a body, a column for each target.

    `json_to_recordset` with a list of columns rather than `json_populate_recordset` with the
    table's row type: that one would check the NOT NULL of a domain for columns that the body
    does not even name.
    """
    body = f"convert_from({writer.parameter(rows.body, 'bytea')}, 'UTF8')::json"
    if rows.is_object:
        body = f"json_build_array({body})"
    if not rows.targets:
        return f"SELECT FROM json_array_elements({body}) AS element"
    typed = ", ".join(f"{target.column} {target.type}" for target in rows.targets)
    values = ", ".join(_value(writer, target) for target in rows.targets)
    if all(target.default is None for target in rows.targets):
        return f"SELECT {values} FROM json_to_recordset({body}) AS {INCOMING}({typed})"
    return (
        f"SELECT {values} FROM json_array_elements({body}) AS element(json),"
        f" json_to_record(element.json) AS {INCOMING}({typed})"
    )


def _value(writer: Writer, target: Target) -> str:
    if target.key is None:
        return f"{INCOMING}.{target.column}"
    key = writer.parameter(target.key, "text")
    given = f"{INCOMING}.{target.column}"
    return f"CASE WHEN element.json->({key}) IS NULL THEN {target.default} ELSE {given} END"
