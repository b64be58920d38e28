"""Whole statements, one text a shape.

Every statement that answers a request returns one row of the same form, so that no change of
the customer's tables changes a prepared statement's result type: `body` bytea, `rows` bigint,
`total` bigint (null when not counted), `is_cut` boolean.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from db_api.plan.insert import WRITTEN
from db_api.plan.model import InsertPlan, ReadPlan, Target
from db_api.plan.values import Slot
from db_api.sql.nodes import (
    write_body,
    write_full_arrays,
    write_node,
    write_rows_after,
    write_source,
)
from db_api.sql.writer import Writer

_KEPT_STATEMENTS: Final = 1024


@dataclass(frozen=True, slots=True)
class Statement:
    """The text of a statement, and the slots of its parameters in order."""

    text: str
    slots: tuple[Slot, ...]


@lru_cache(maxsize=_KEPT_STATEMENTS)
def read_statement(plan: ReadPlan) -> Statement:
    """Write a read."""
    writer = Writer()
    page = write_node(writer, plan.node, shows_outputs=plan.view.shape != "none")
    text = (
        f"SELECT {write_body(plan.view)} AS body,"
        f" count(*) AS rows, {_total(writer, plan)} AS total, {_is_cut(writer, plan)} AS is_cut"
        f" FROM ({page}) AS page"
    )
    return Statement(text, writer.slots)


def _total(writer: Writer, plan: ReadPlan) -> str:
    if plan.total is None:
        return "null::bigint"
    counted = f"SELECT {write_source(writer, plan.node)}"
    if plan.total != "exact":
        counted += f" LIMIT {writer.parameter(plan.total, 'int8')}"
    return f"(SELECT count(*) FROM ({counted}) AS counted)"


def _is_cut(writer: Writer, plan: ReadPlan) -> str:
    """Write whether the server's cap left rows out: of the page, or of an array in it."""
    tests = list(_cut_pages(writer, plan))
    if plan.view.shape != "none":
        tests += write_full_arrays(writer, plan.node)
    return " OR ".join(tests) or "false"


def _cut_pages(writer: Writer, plan: ReadPlan) -> Iterator[str]:
    """Write whether a row follows the page; looked for only when the page is full."""
    if plan.next_row is not None and plan.node.limit is not None:
        full = f"count(*) = {writer.parameter(plan.node.limit, 'int8')}"
        following = write_rows_after(writer, plan.node, plan.next_row)
        yield f"CASE WHEN {full} THEN EXISTS ({following}) ELSE false END"


@lru_cache(maxsize=_KEPT_STATEMENTS)
def explain_statement(plan: ReadPlan) -> Statement:
    """Write the question how many rows the planner expects, its answer a JSON text."""
    writer = Writer()
    text = f"EXPLAIN (FORMAT JSON) SELECT {write_source(writer, plan.node)}"
    return Statement(text, writer.slots)


@lru_cache(maxsize=_KEPT_STATEMENTS)
def insert_statement(plan: InsertPlan) -> Statement:
    """Write an insert."""
    writer = Writer()
    columns = ", ".join(target.column for target in plan.targets)
    into = f"{plan.table} ({columns})" if columns else plan.table
    returning = ", ".join(f"{plan.table}.{name}" for name in plan.returning) or "1"
    rows = _rows_of_body(writer, plan)
    page = write_node(writer, plan.node, shows_outputs=plan.view.shape != "none")
    text = (
        f"WITH {WRITTEN} AS (INSERT INTO {into} {rows} RETURNING {returning})"
        f" SELECT {write_body(plan.view)} AS body,"
        f" count(*) AS rows, null::bigint AS total, false AS is_cut FROM ({page}) AS page"
    )
    return Statement(text, writer.slots)


def _rows_of_body(writer: Writer, plan: InsertPlan) -> str:
    """Write the rows to insert.

    `json_to_recordset` with a list of columns rather than `json_populate_recordset` with the
    table's row type: that one would check the NOT NULL of a domain for columns that the body
    does not even name.
    """
    body = f"convert_from({writer.parameter(plan.body, 'bytea')}, 'UTF8')::json"
    if plan.is_object:
        body = f"json_build_array({body})"
    if not plan.targets:
        return f"SELECT FROM json_array_elements({body}) AS element"
    typed = ", ".join(f"{target.column} {target.type}" for target in plan.targets)
    values = ", ".join(_value(writer, target) for target in plan.targets)
    if all(target.default is None for target in plan.targets):
        return f"SELECT {values} FROM json_to_recordset({body}) AS b({typed})"
    return (
        f"SELECT {values} FROM json_array_elements({body}) AS element(json),"
        f" json_to_record(element.json) AS b({typed})"
    )


def _value(writer: Writer, target: Target) -> str:
    if target.key is None:
        return f"b.{target.column}"
    key = writer.parameter(target.key, "text")
    return (
        f"CASE WHEN element.json->({key}) IS NULL THEN {target.default} ELSE b.{target.column} END"
    )
