"""Which columns of its source a node reads: what a write must return for it."""

from collections.abc import Iterator

from db_api.identifiers import SqlName
from db_api.plan.node import Exists, Junction, Node, Output, Predicate


def columns_read(node: Node) -> frozenset[SqlName]:
    """Name the columns that a node reads of its source, the computed ones included."""
    names = {output.expression.column for output in node.outputs if isinstance(output, Output)}
    names |= {term.expression.column for term in node.order if term.related is None}
    names |= {name for predicate in node.where for name in _of_predicate(predicate)}
    names |= {name for related in node.related for name, _ in related.link.outer}
    return frozenset(names)


def _of_predicate(predicate: Predicate) -> Iterator[SqlName]:
    if isinstance(predicate, Junction):
        for operand in predicate.operands:
            yield from _of_predicate(operand)
    elif not isinstance(predicate, Exists):
        yield predicate.expression.column
