"""Statements that call a function; they return the same row as those that read a table."""

from functools import lru_cache
from typing import Final

from db_api.plan.call import CALLED, VALUE
from db_api.plan.model import Call, CallPlan
from db_api.sql.incoming import write_incoming
from db_api.sql.nodes import heading_of
from db_api.sql.statements import KEPT_STATEMENTS, Statement, write_read
from db_api.sql.writer import Writer

_ROW: Final = "r"
_GIVEN: Final = "g"


@lru_cache(maxsize=KEPT_STATEMENTS)
def call_statement(plan: CallPlan) -> Statement:
    """Write a call: the function stands in a WITH clause, so that it is called once."""
    writer = Writer()
    text = f"WITH {CALLED} AS ({_write_call(writer, plan.call)}) {write_read(writer, plan.read)}"
    return Statement(text, writer.slots, heading_of(plan.read.view, plan.read.node))


def _write_call(writer: Writer, call: Call) -> str:
    """Write the call. A value that is no row stands in the SELECT list, where it may be any."""
    if call.body is not None:
        body = writer.parameter(call.body, "bytea")
        value = body if call.body_type == "bytea" else f"convert_from({body}, 'UTF8')"
        called, given = f"{call.function}(({value})::{call.body_type})", ""
    else:
        called = f"{call.function}({', '.join(_arguments(call))})"
        given = _write_given(writer, call)
    if not call.returns_rows:
        return f"SELECT {called} AS {VALUE}" + (f" FROM {given}" if given else "")
    lateral = f"{given}, LATERAL " if given else ""
    return f"SELECT {_ROW}.* FROM {lateral}{called} AS {_ROW}"


def _arguments(call: Call) -> list[str]:
    return [
        f"{'VARIADIC ' if argument.is_variadic else ''}{argument.name} := {_GIVEN}.{argument.name}"
        for argument in call.arguments
    ]


def _write_given(writer: Writer, call: Call) -> str:
    if call.incoming is None:
        return ""
    rows = write_incoming(writer, call.incoming)
    columns = ", ".join(target.column for target in call.incoming.targets)
    return f"({rows} LIMIT 1) AS {_GIVEN}({columns})"
