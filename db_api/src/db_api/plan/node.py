"""Nodes: the rows of one source, what is shown of them, and the nodes within.

As all plans they are frozen, comparable and free of the request's values.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from db_api.grammar.ast import Aggregate
from db_api.identifiers import SqlName
from db_api.plan.values import Slot


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step into a JSON value."""

    key: Slot
    is_index: bool
    as_text: bool


@dataclass(frozen=True, slots=True)
class Expression:
    """A column of the node's source, or what a JSON path finds in it.

    Attributes:
        type: of the whole expression, in SQL.
        converts: the column is no JSON and becomes it before the path is followed.
        function: what computes the column from a row of the source; None for a column of its own.
    """

    column: SqlName
    path: tuple[PathStep, ...]
    type: str
    converts: bool
    function: SqlName | None = None


@dataclass(frozen=True, slots=True)
class Aggregation:
    """An aggregate, and what its result is cast to."""

    function: Aggregate
    cast: str | None


@dataclass(frozen=True, slots=True)
class Output:
    """A member of the answer's objects: an expression, cast, then aggregated."""

    expression: Expression
    cast: str | None
    name: SqlName
    aggregation: Aggregation | None = None


@dataclass(frozen=True, slots=True)
class CountOutput:
    """The number of rows; without an aggregation, what is not null for a row that is there."""

    name: SqlName
    aggregation: Aggregation | None


@dataclass(frozen=True, slots=True)
class EmbedOutput:
    """Related rows as JSON: an object, or an array of them.

    Attributes:
        related: their position in the node.
    """

    related: int
    name: SqlName


@dataclass(frozen=True, slots=True)
class SpreadOutput:
    """A member of related rows, as a member of the row around them.

    Attributes:
        related: their position in the node.
        column: what the member is called there.
        is_json: it is json, which has no equality and cannot be grouped by.
    """

    related: int
    column: SqlName
    name: SqlName
    aggregation: Aggregation | None
    is_json: bool


Member = Output | CountOutput | EmbedOutput | SpreadOutput


def is_grouped(members: Iterable[Member]) -> bool:
    """Tell whether rows with these members are groups: one of them is an aggregate."""
    return any(
        not isinstance(member, EmbedOutput) and member.aggregation is not None for member in members
    )


@dataclass(frozen=True, slots=True)
class Compare:
    """`expression operator value`, the value read as `type`."""

    expression: Expression
    operator: str
    value: Slot
    type: str
    quantifier: Literal["any", "all"] | None
    negated: bool


@dataclass(frozen=True, slots=True)
class Among:
    """`expression = ANY (values)`."""

    expression: Expression
    values: Slot
    negated: bool


@dataclass(frozen=True, slots=True)
class Is:
    """`expression IS what`."""

    expression: Expression
    what: Literal["NULL", "NOT NULL", "TRUE", "FALSE", "UNKNOWN"]
    negated: bool


@dataclass(frozen=True, slots=True)
class Search:
    """`expression @@ function(language, query)`.

    Attributes:
        function: makes the query of a text.
        converts: the expression is no tsvector and becomes one.
    """

    expression: Expression
    function: str
    language: Slot | None
    query: Slot
    converts: bool
    negated: bool


@dataclass(frozen=True, slots=True)
class Exists:
    """There are related rows.

    Attributes:
        related: their position in the node.
    """

    related: int
    negated: bool


@dataclass(frozen=True, slots=True)
class Junction:
    """Conditions joined by AND or OR."""

    operator: Literal["and", "or"]
    operands: "tuple[Predicate, ...]"
    negated: bool


Predicate = Compare | Among | Is | Search | Exists | Junction


@dataclass(frozen=True, slots=True)
class Order:
    """One term of ORDER BY.

    Attributes:
        related: the position in the node of the related row that it looks at; None for a row of
            the node's own.
    """

    expression: Expression
    direction: Literal["asc", "desc"] | None
    nulls: Literal["nullsfirst", "nullslast"] | None
    related: int | None = None


ColumnPairs = tuple[tuple[SqlName, SqlName], ...]


@dataclass(frozen=True, slots=True)
class Link:
    """Which rows of a node are related to a row of the node around it.

    Attributes:
        outer: columns of the node around it, with the columns that equal them: the junction's if
            there is one, else the node's.
        junction: a table between them.
        inner: columns of the node, with the junction's.
    """

    outer: ColumnPairs
    junction: SqlName | None = None
    inner: ColumnPairs = ()


@dataclass(frozen=True, slots=True)
class Related:
    """A node within another one.

    Attributes:
        is_one: there is one row of it at most.
        is_spread: its members are shown among those of the node around it.
        is_capped: its limit is the server's, which may leave rows out.
    """

    node: "Node"
    link: Link
    is_one: bool
    is_spread: bool
    is_capped: bool


@dataclass(frozen=True, slots=True)
class Node:
    """Rows of one source: what is shown of them, which ones, in which order.

    Attributes:
        source: a table, or the rows that a write returned or a function returns.
        limit: rows at most, None for all of them.
        offset: rows left out at the beginning, None for none.
        related: nodes within this one; outputs, conditions and orders name them by position.
    """

    source: SqlName
    outputs: tuple[Member, ...]
    where: tuple[Predicate, ...] = ()
    order: tuple[Order, ...] = ()
    limit: Slot | None = None
    offset: Slot | None = None
    related: tuple[Related, ...] = ()

    @property
    def is_grouped(self) -> bool:
        """Tell whether its rows are groups."""
        return is_grouped(self.outputs)
