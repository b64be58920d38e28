"""The SELECT of one node, and the aggregate that makes JSON of its rows."""

from db_api.plan.model import Node, View
from db_api.sql.expressions import write_order, write_output, write_predicate
from db_api.sql.writer import Writer

_ROWS = "t"


def write_node(writer: Writer, node: Node, *, shows_outputs: bool = True) -> str:
    """Write the page of rows that a node describes; without outputs, rows of nothing."""
    outputs = [write_output(writer, _ROWS, output) for output in node.outputs]
    clauses = [f"SELECT {', '.join(outputs)}" if shows_outputs else "SELECT"]
    clauses.append(write_source(writer, node))
    if node.order:
        terms = ", ".join(write_order(writer, _ROWS, order) for order in node.order)
        clauses.append(f"ORDER BY {terms}")
    if node.limit is not None:
        clauses.append(f"LIMIT {writer.parameter(node.limit, 'int8')}")
    if node.offset is not None:
        clauses.append(f"OFFSET {writer.parameter(node.offset, 'int8')}")
    return " ".join(clauses)


def write_source(writer: Writer, node: Node) -> str:
    """Write FROM and WHERE: the rows of a node, whichever page of them is asked for."""
    source = f"FROM {node.source} AS {_ROWS}"
    if not node.where:
        return source
    conditions = " AND ".join(write_predicate(writer, _ROWS, part) for part in node.where)
    return f"{source} WHERE {conditions}"


def write_body(view: View) -> str:
    """Write the body as bytes, made of all rows of `page`.

    `page.*` is the row even where a column is called `page`.
    """
    if view.shape == "none":
        return "''::bytea"
    rows = "json_agg(page.*)"
    if view.strips_nulls:
        rows = f"json_strip_nulls({rows})"
    if view.shape == "object":
        rows = f"({rows}->0)"
    return f"convert_to(coalesce({rows}::text, '[]'), 'UTF8')"
