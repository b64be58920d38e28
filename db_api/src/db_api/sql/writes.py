"""Statements that write, one text a shape; they return the same row as those that read.

The write stands in a WITH clause that is called `written`, and what is shown is read from there.
"""

from functools import lru_cache
from typing import Final

from db_api.plan.model import DeletePlan, InsertPlan, Shown, UpdatePlan
from db_api.plan.node import Predicate
from db_api.plan.shown import WRITTEN
from db_api.sql.expressions import write_predicate
from db_api.sql.incoming import write_columns, write_incoming
from db_api.sql.nodes import write_body, write_node
from db_api.sql.statements import KEPT_STATEMENTS, Statement
from db_api.sql.writer import Writer

_TABLE: Final = "t"
"""What the written table is called; its columns are found in its own row alone."""

_COUNTED: Final = f"(SELECT count(*) FROM {WRITTEN})"
_UNCOUNTED: Final = "null::bigint"


@lru_cache(maxsize=KEPT_STATEMENTS)
def insert_statement(plan: InsertPlan) -> Statement:
    """Write an insert."""
    writer = Writer()
    columns = f" ({write_columns(plan.rows)})" if plan.rows.targets else ""
    rows = write_incoming(writer, plan.rows)
    write = f"INSERT INTO {plan.table} AS {_TABLE}{columns} {rows} {_returning(plan.shown)}"
    return _showing(writer, write, plan.shown, _UNCOUNTED)


@lru_cache(maxsize=KEPT_STATEMENTS)
def update_statement(plan: UpdatePlan) -> Statement:
    """Write an update; without a column to set it finds no row."""
    writer = Writer()
    if plan.rows.targets:
        sets = ", ".join(f"{target.column} = b.{target.column}" for target in plan.rows.targets)
        rows = f"({write_incoming(writer, plan.rows)} LIMIT 1) AS b({write_columns(plan.rows)})"
        write = (
            f"UPDATE {plan.table} AS {_TABLE} SET {sets} FROM {rows}"
            f"{_where(writer, plan.where)} {_returning(plan.shown)}"
        )
    else:
        write = f"SELECT {_returned(plan.shown)} FROM {plan.table} AS {_TABLE} WHERE false"
    return _showing(writer, write, plan.shown, _COUNTED if plan.is_counted else _UNCOUNTED)


@lru_cache(maxsize=KEPT_STATEMENTS)
def delete_statement(plan: DeletePlan) -> Statement:
    """Write a removal."""
    writer = Writer()
    where = _where(writer, plan.where)
    write = f"DELETE FROM {plan.table} AS {_TABLE}{where} {_returning(plan.shown)}"
    return _showing(writer, write, plan.shown, _COUNTED if plan.is_counted else _UNCOUNTED)


def _showing(writer: Writer, write: str, shown: Shown, total: str) -> Statement:
    page = write_node(writer, shown.node, shows_outputs=shown.view.shape != "none")
    text = (
        f"WITH {WRITTEN} AS ({write}) SELECT {write_body(shown.view)} AS body,"
        f" count(*) AS rows, {total} AS total, false AS is_cut FROM ({page}) AS page"
    )
    return Statement(text, writer.slots)


def _where(writer: Writer, where: tuple[Predicate, ...]) -> str:
    if not where:
        return ""
    conditions = " AND ".join(write_predicate(writer, _TABLE, part) for part in where)
    return f" WHERE {conditions}"


def _returning(shown: Shown) -> str:
    return f"RETURNING {_returned(shown)}"


def _returned(shown: Shown) -> str:
    return ", ".join(f"{_TABLE}.{column}" for column in shown.returning) or "1"
