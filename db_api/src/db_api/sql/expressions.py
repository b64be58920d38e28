"""Expressions, conditions and orders of one node.

A function gets the name under which the node's rows are known, so that the same node can be
written twice in one statement, or inside another one.
"""

from db_api.plan.model import (
    Among,
    Compare,
    Expression,
    Is,
    Junction,
    Order,
    Output,
    PathStep,
    Predicate,
)
from db_api.sql.writer import Writer


def write_expression(writer: Writer, rows: str, expression: Expression) -> str:
    """Write a column and the path into it."""
    column = f"{rows}.{expression.column}"
    if expression.converts:
        column = f"to_jsonb({column})"
    return column + "".join(_step(writer, step) for step in expression.path)


def _step(writer: Writer, step: PathStep) -> str:
    arrow = "->>" if step.as_text else "->"
    if step.is_index:
        return f"{arrow}({writer.parameter(step.key, 'text')})::int4"
    return f"{arrow}{writer.untyped_parameter(step.key)}"


def write_output(writer: Writer, rows: str, output: Output) -> str:
    """Write an item of the SELECT list."""
    value = write_expression(writer, rows, output.expression)
    if output.cast:
        value = f"CAST({value} AS {output.cast})"
    return f"{value} AS {output.name}"


def write_order(writer: Writer, rows: str, order: Order) -> str:
    """Write an item of the ORDER BY list."""
    words = [write_expression(writer, rows, order.expression)]
    if order.direction:
        words.append(order.direction.upper())
    if order.nulls:
        words.append("NULLS FIRST" if order.nulls == "nullsfirst" else "NULLS LAST")
    return " ".join(words)


def write_predicate(writer: Writer, rows: str, predicate: Predicate) -> str:
    """Write a condition, in parentheses where it needs them."""
    if isinstance(predicate, Junction):
        joint = f" {predicate.operator.upper()} "
        operands = (write_predicate(writer, rows, operand) for operand in predicate.operands)
        text = f"({joint.join(operands)})"
    else:
        text = _simple(writer, rows, predicate)
    return f"NOT {text}" if predicate.negated else text


def _simple(writer: Writer, rows: str, predicate: Compare | Among | Is) -> str:
    expression = write_expression(writer, rows, predicate.expression)
    if isinstance(predicate, Is):
        return f"{expression} IS {predicate.what}"
    if isinstance(predicate, Among):
        values = writer.parameter(predicate.values, "text[]")
        return f"{expression} = ANY (({values})::{predicate.expression.type}[])"
    value = f"({writer.parameter(predicate.value, 'text')})::{predicate.type}"
    if predicate.quantifier:
        value = f"{predicate.quantifier.upper()} ({value}[])"
    return f"{expression} {predicate.operator} {value}"
