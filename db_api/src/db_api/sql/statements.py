"""Statements that read, one text a shape.

Every statement that answers a request returns one row of the same form, so that no change of
the customer's tables changes a prepared statement's result type: `body` bytea, `rows` bigint,
`total` bigint (null when not counted), `is_cut` boolean.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from db_api.plan.model import ReadPlan
from db_api.plan.values import Slot
from db_api.sql.nodes import (
    write_body,
    write_full_arrays,
    write_keys_at,
    write_node,
    write_rows_after,
    write_source,
)
from db_api.sql.writer import Writer

KEPT_STATEMENTS: Final = 1024
"""Of each kind; far more shapes than one application has."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement.

    Attributes:
        slots: of its parameters, in order.
        heading: what stands before the rows in the answer.
    """

    text: str
    slots: tuple[Slot, ...]
    heading: bytes = b""


@lru_cache(maxsize=KEPT_STATEMENTS)
def read_statement(plan: ReadPlan) -> Statement:
    """Write a read."""
    writer = Writer()
    return Statement(write_read(writer, plan), writer.slots)


def write_read(writer: Writer, plan: ReadPlan) -> str:
    """Write the SELECT of a read."""
    page = write_node(writer, plan.node, shows_outputs=plan.view.shape != "none")
    return (
        f"SELECT {write_body(plan.view, plan.node)} AS body,"
        f" count(*) AS rows, {_total(writer, plan)} AS total, {_is_cut(writer, plan)} AS is_cut"
        f"{_last_keys(writer, plan)} FROM ({page}) AS page"
    )


def _last_keys(writer: Writer, plan: ReadPlan) -> str:
    """Write the keys of the page's last row, if the page is full and a row follows it."""
    if plan.last_row is None or plan.node.limit is None:
        return ""
    full = f"count(*) = {writer.parameter(plan.node.limit, 'int8')}"
    return (
        f", CASE WHEN {full} THEN ({write_keys_at(writer, plan.node, plan.last_row)}) END AS keys"
    )


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


@lru_cache(maxsize=KEPT_STATEMENTS)
def explain_statement(plan: ReadPlan) -> Statement:
    """Write the question how many rows the planner expects, its answer a JSON text."""
    writer = Writer()
    text = f"EXPLAIN (FORMAT JSON) SELECT {write_source(writer, plan.node)}"
    return Statement(text, writer.slots)
