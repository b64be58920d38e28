"""Expressions, conditions and orders of one node.

A function gets the name under which the node's rows are known, so that the same node can be
written twice in one statement, or inside another one.
"""

from collections.abc import Callable

from db_api.plan.node import (
    Aggregation,
    Among,
    Compare,
    Exists,
    Expression,
    Is,
    Junction,
    Order,
    PathStep,
    Predicate,
    Search,
)
from db_api.sql.writer import Writer


def write_expression(writer: Writer, rows: str, expression: Expression) -> str:
    """Write a column and the path into it."""
    column = f"{rows}.{expression.column}"
    if expression.function:
        column = f"{expression.function}({rows})"
    if expression.converts:
        column = f"to_jsonb({column})"
    return column + "".join(_step(writer, step) for step in expression.path)


def _step(writer: Writer, step: PathStep) -> str:
    arrow = "->>" if step.as_text else "->"
    if step.is_index:
        return f"{arrow}({writer.parameter(step.key, 'text')})::int4"
    return f"{arrow}{writer.untyped_parameter(step.key)}"


def write_cast(value: str, type_: str | None) -> str:
    """Write a cast, if there is one."""
    return value if type_ is None else f"CAST({value} AS {type_})"


def write_aggregation(value: str, aggregation: Aggregation | None) -> str:
    """Write an aggregate of a value, if there is one."""
    if aggregation is None:
        return value
    return write_cast(f"{aggregation.function}({value})", aggregation.cast)


def write_direction(order: Order) -> str:
    """Write what follows the expression in an item of the ORDER BY list."""
    words = ""
    if order.direction:
        words += f" {order.direction.upper()}"
    if order.nulls:
        words += " NULLS FIRST" if order.nulls == "nullsfirst" else " NULLS LAST"
    return words


def _no_related(_exists: Exists) -> str:
    raise LookupError("a condition asks for related rows where there are none")


def write_predicate(
    writer: Writer,
    rows: str,
    predicate: Predicate,
    write_exists: Callable[[Exists], str] = _no_related,
) -> str:
    """Write a condition, in parentheses where it needs them.

    Args:
        writer: numbers the parameters.
        rows: the name of the node's rows.
        predicate: the condition.
        write_exists: writes the question whether there are related rows.
    """
    if isinstance(predicate, Junction):
        joint = f" {predicate.operator.upper()} "
        operands = (
            write_predicate(writer, rows, operand, write_exists) for operand in predicate.operands
        )
        text = f"({joint.join(operands)})"
    elif isinstance(predicate, Exists):
        text = write_exists(predicate)
    else:
        text = _simple(writer, rows, predicate)
    return f"NOT {text}" if predicate.negated else text


def _simple(writer: Writer, rows: str, predicate: Compare | Among | Is | Search) -> str:
    expression = write_expression(writer, rows, predicate.expression)
    if isinstance(predicate, Search):
        return _search(writer, expression, predicate)
    if isinstance(predicate, Is):
        return f"{expression} IS {predicate.what}"
    if isinstance(predicate, Among):
        values = writer.parameter(predicate.values, "text[]")
        return f"{expression} = ANY (({values})::{predicate.expression.type}[])"
    value = f"({writer.parameter(predicate.value, 'text')})::{predicate.type}"
    if predicate.quantifier:
        value = f"{predicate.quantifier.upper()} ({value}[])"
    return f"{expression} {predicate.operator} {value}"


def _search(writer: Writer, expression: str, search: Search) -> str:
    language = ""
    if search.language is not None:
        language = f"({writer.parameter(search.language, 'text')})::regconfig, "
    if search.converts:
        expression = f"to_tsvector({language}{expression})"
    query = writer.parameter(search.query, "text")
    return f"{expression} @@ {search.function}({language}{query})"
