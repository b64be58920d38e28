"""Statements that write, one text a shape; they return the same row as those that read.

The write stands in a WITH clause that is called `written`, and what is shown is read from there.
"""

from functools import lru_cache
from typing import Final

from db_api.plan.model import DeletePlan, InsertPlan, Shown, UpdatePlan
from db_api.plan.node import Predicate
from db_api.plan.shown import WRITTEN
from db_api.sql.expressions import write_predicate
from db_api.sql.incoming import INCOMING, write_incoming
from db_api.sql.nodes import heading_of, write_body, write_node
from db_api.sql.statements import KEPT_STATEMENTS, Statement
from db_api.sql.writer import Writer

_TABLE: Final = "t"
"""What the written table is called; its columns are found in its own row alone."""

_COUNTED: Final = f"(SELECT count(*) FROM {WRITTEN})"
_UNCOUNTED: Final = "null::bigint"

INSERTED: Final = "db_api.inserted"
"""The setting of a transaction in which an upsert counts the rows that are new; empty before."""

_INSERTED: Final = f"coalesce(nullif(current_setting('{INSERTED}', true), ''), '0')::bigint"


@lru_cache(maxsize=KEPT_STATEMENTS)
def insert_statement(plan: InsertPlan) -> Statement:
    """Write an insert."""
    writer = Writer()
    columns = ", ".join(target.column for target in plan.rows.targets)
    into = f"{plan.table} AS {_TABLE} ({columns})" if columns else f"{plan.table} AS {_TABLE}"
    rows = write_incoming(writer, plan.rows)
    is_merged = plan.conflict is not None and plan.conflict.is_merged
    only = [write_predicate(writer, INCOMING, predicate) for predicate in plan.only]
    where = " AND ".join([*only, _noted(1)] if is_merged else only)
    if where:
        rows += f" WHERE {where}"
    write = f"INSERT INTO {into} {rows}{_on_conflict(plan)} {_returning(plan.shown)}"
    return _showing(writer, write, plan.shown, _INSERTED if is_merged else _UNCOUNTED)


def _on_conflict(plan: InsertPlan) -> str:
    if plan.conflict is None:
        return ""
    columns = ", ".join(plan.conflict.columns)
    if not plan.conflict.is_merged or not plan.rows.targets:
        return f" ON CONFLICT ({columns}) DO NOTHING"
    sets = ", ".join(f"{target.column} = excluded.{target.column}" for target in plan.rows.targets)
    return f" ON CONFLICT ({columns}) DO UPDATE SET {sets} WHERE {_noted(-1)}"


def _noted(change: int) -> str:
    """Write a condition that always holds and adds to the number of inserted rows.

    `xmax = 0` in RETURNING would tell as much, but views have no such column, and reading it
    needs a privilege that the write itself does not.
    """
    return f"set_config('{INSERTED}', ({_INSERTED} + {change})::text, true) IS NOT NULL"


@lru_cache(maxsize=KEPT_STATEMENTS)
def update_statement(plan: UpdatePlan) -> Statement:
    """Write an update; without a column to set it finds no row."""
    writer = Writer()
    if plan.rows.targets:
        columns = [target.column for target in plan.rows.targets]
        sets = ", ".join(f"{column} = {INCOMING}.{column}" for column in columns)
        row = f"({write_incoming(writer, plan.rows)} LIMIT 1) AS {INCOMING}({', '.join(columns)})"
        where = _where(writer, plan.where)
        write = (
            f"UPDATE {plan.table} AS {_TABLE} SET {sets} FROM {row}{where} {_returning(plan.shown)}"
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
        f"WITH {WRITTEN} AS ({write}) SELECT {write_body(shown.view, shown.node)} AS body,"
        f" count(*) AS rows, {total} AS total, false AS is_cut FROM ({page}) AS page"
    )
    return Statement(text, writer.slots, heading_of(shown.view, shown.node))


def _where(writer: Writer, where: tuple[Predicate, ...]) -> str:
    if not where:
        return ""
    conditions = " AND ".join(write_predicate(writer, _TABLE, part) for part in where)
    return f" WHERE {conditions}"


def _returning(shown: Shown) -> str:
    return f"RETURNING {_returned(shown)}"


def _returned(shown: Shown) -> str:
    return ", ".join(f"{_TABLE}.{column}" for column in shown.returning) or "1"
