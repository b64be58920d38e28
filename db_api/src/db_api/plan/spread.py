"""Members of related rows, shown among those of the row around them (`...rel(a,b)`).

Within the node they get names of our own, so that `...rel(id,id)` is no ambiguity. Aggregates
over a to-one relationship are computed where they are shown: a sum over one row says nothing.
"""

from dataclasses import replace

from db_api.identifiers import SqlName, quote
from db_api.plan.node import EmbedOutput, Member, Node, Output, Related, SpreadOutput
from db_api.rest_errors import not_supported


def spread(related: Related, position: int) -> tuple[Related, tuple[SpreadOutput, ...]]:
    """Prepare a related node for being spread.

    Args:
        related: the node.
        position: where it will stand in the node around it.

    Returns:
        The node that takes its place, and the members that show it.

    Raises:
        RestError: it has an aggregate and many rows.
    """
    inner: list[Member] = []
    shown: list[SpreadOutput] = []
    for number, output in enumerate(related.node.outputs):
        column = quote(f"c{number}")
        aggregation = None if isinstance(output, EmbedOutput) else output.aggregation
        if aggregation and not related.is_one:
            raise not_supported("An aggregate within a spread of several related rows")
        is_json = not related.is_one or is_json_member(output)
        shown.append(SpreadOutput(position, column, output.name, aggregation, is_json))
        inner.append(_renamed(output, column))
    node: Node = replace(related.node, outputs=tuple(inner))
    return replace(related, node=node), tuple(shown)


def _renamed(output: Member, name: SqlName) -> Member:
    if isinstance(output, EmbedOutput):
        return replace(output, name=name)
    return replace(output, name=name, aggregation=None)


def is_json_member(output: Member) -> bool:
    """Tell whether a member is of type json, which has no equality."""
    if isinstance(output, SpreadOutput):
        return output.is_json
    if isinstance(output, Output):
        return (output.cast or output.expression.type) == "json"
    return isinstance(output, EmbedOutput)
