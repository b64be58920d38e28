"""Plan the nodes of a request: the one that it asks for, and those embedded in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from db_api.catalog import Relationship, SchemaCache, Table
from db_api.grammar.ast import (
    Field,
    OrderTerm,
    SelectAggregate,
    SelectAll,
    SelectEmbed,
    SelectField,
    SelectItem,
)
from db_api.identifiers import SqlName, quote
from db_api.plan.node import (
    Aggregation,
    ColumnPairs,
    CountOutput,
    EmbedOutput,
    Exists,
    Link,
    Member,
    Node,
    Order,
    Output,
    Related,
    is_grouped,
)
from db_api.plan.relate import find_relationship
from db_api.plan.resolve import Resolver, member_name, not_embedded
from db_api.plan.scopes import Scope, own_clauses, scopes_within
from db_api.plan.spread import spread
from db_api.plan.values import Slot, Values
from db_api.rest_errors import RestError

MAX_OUTPUTS: Final = 1600
"""As many as a table of PostgreSQL's has columns; plans are kept, so their size is bounded."""

_COUNT: Final = "count"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the server allows a request.

    Attributes:
        max_rows: of each array of related rows.
        aggregates: it may use aggregates.
    """

    max_rows: int
    aggregates: bool


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows of a node come from.

    Attributes:
        table: whose columns and relationships they have.
        rows: the table itself, or rows that a write returned or a function returns.
        is_written: a write returned them, what is computed of them included.
    """

    table: Table
    rows: SqlName
    is_written: bool = False


@dataclass(frozen=True, slots=True)
class _Draft:
    """A node that is being planned.

    Attributes:
        related: the nodes within it.
        resolvers: of these, at the same positions.
        names: their positions by the names that they are shown under.
        required: those that must have rows.
    """

    source: Source
    resolver: Resolver
    outputs: list[Member] = field(default_factory=list)
    related: list[Related] = field(default_factory=list)
    resolvers: list[Resolver] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    required: list[Exists] = field(default_factory=list)


class Planner:
    """Plans the nodes of one request.

    Args:
        snapshot: the schema cache.
        values: takes the request's values.
        bounds: what the request may do.
    """

    def __init__(self, snapshot: SchemaCache, values: Values, bounds: Bounds) -> None:
        self._snapshot = snapshot
        self._values = values
        self._bounds = bounds
        self._outputs = 0

    def node(
        self,
        source: Source,
        items: Sequence[SelectItem],
        scope: Scope,
        *,
        limit: Slot | None = None,
        offset: Slot | None = None,
    ) -> Node:
        """Plan a node and those within it.

        Args:
            source: where its rows come from.
            items: what is shown of them.
            scope: what is said of them, and of the resources embedded in them.
            limit: rows at most.
            offset: rows left out at the beginning.

        Raises:
            RestError: the request names what is not there, or asks for too much.
        """
        self._require_relationships(source.table, items)
        return self._node(source, items, scope, limit, offset)

    def _node(
        self,
        source: Source,
        items: Sequence[SelectItem],
        scope: Scope,
        limit: Slot | None,
        offset: Slot | None,
    ) -> Node:
        scopes = scopes_within(items, scope)
        draft = _Draft(source, self._resolver(source))
        for position, item in enumerate(items):
            self._add(draft, item, scopes.get(position, ()))
        self._require_room(len(draft.outputs))
        clauses = own_clauses(scope)
        where = [draft.resolver.predicate(part, draft.names) for part in clauses.where]
        order = [_order(draft, term) for term in clauses.order]
        return Node(
            source=source.rows,
            outputs=tuple(draft.outputs),
            where=(*where, *draft.required),
            order=tuple(order) if order else _own_order(draft),
            limit=limit,
            offset=offset,
            related=tuple(draft.related),
        )

    def _require_relationships(self, table: Table, items: Sequence[SelectItem]) -> None:
        """Refuse what is not related before anything else: a wrong column follows from it."""
        for item in items:
            if isinstance(item, SelectEmbed):
                found = find_relationship(self._snapshot, table, item.name, item.hint)
                self._require_relationships(found.target, item.items)

    def _resolver(self, source: Source) -> Resolver:
        return Resolver(self._snapshot, source.table, self._values, is_written=source.is_written)

    def _add(self, draft: _Draft, item: SelectItem, scope: Scope) -> None:
        if isinstance(item, SelectAll):
            draft.outputs.extend(draft.resolver.all_outputs())
        elif isinstance(item, SelectEmbed):
            self._add_related(draft, item, scope)
        elif isinstance(item, SelectAggregate):
            draft.outputs.append(self._aggregate(draft, item))
        elif _is_old_count(draft.source.table, item):
            count = SelectAggregate(_COUNT, None, None, item.alias, item.cast)
            draft.outputs.append(self._aggregate(draft, count))
        else:
            draft.outputs.append(draft.resolver.output(item))

    def _aggregate(self, draft: _Draft, item: SelectAggregate) -> Member:
        if not self._bounds.aggregates:
            raise RestError("PGRST123", "Use of aggregate functions is not allowed")
        name = member_name(item.alias or item.function)
        aggregation = Aggregation(item.function, draft.resolver.cast_type(item.result_cast))
        if item.field is None:
            return CountOutput(name, aggregation)
        expression = draft.resolver.expression(item.field)
        return Output(expression, draft.resolver.cast_type(item.cast), name, aggregation)

    def _add_related(self, draft: _Draft, item: SelectEmbed, scope: Scope) -> None:
        found = find_relationship(self._snapshot, draft.source.table, item.name, item.hint)
        source = Source(found.target, found.target.sql_name)
        related = self._related(found, source, item, scope)
        position = len(draft.related)
        if item.is_spread:
            related, members = spread(related, position)
            draft.outputs.extend(members)
        elif related.node.outputs:
            draft.outputs.append(EmbedOutput(position, member_name(item.shown_name)))
        draft.related.append(related)
        draft.resolvers.append(self._resolver(source))
        draft.names.setdefault(item.shown_name, position)
        if item.join == "inner":
            draft.required.append(Exists(position, negated=False))

    def _related(
        self, found: Relationship, source: Source, item: SelectEmbed, scope: Scope
    ) -> Related:
        clauses = own_clauses(scope)
        most = 1 if found.is_to_one else self._bounds.max_rows
        limit = most if clauses.limit is None else min(most, clauses.limit)
        node = self._node(
            source,
            item.items,
            scope,
            self._values.add(limit),
            self._values.add(clauses.offset) if clauses.offset else None,
        )
        is_capped = not found.is_to_one and (clauses.limit is None or clauses.limit > most)
        return Related(node, _link(found), found.is_to_one, item.is_spread, is_capped)

    def _require_room(self, outputs: int) -> None:
        self._outputs += outputs
        if self._outputs > MAX_OUTPUTS:
            raise RestError(
                "DBAPI400",
                "The request selects too many columns",
                details=f"At most {MAX_OUTPUTS} are allowed.",
            )


def _is_old_count(table: Table, item: SelectField) -> bool:
    """Tell whether `count` is meant as in PostgREST before there was `count()`."""
    name = item.field.name
    is_column = name in table.columns or name in table.computed
    return name == _COUNT and not item.field.path and not is_column


def _order(draft: _Draft, term: OrderTerm) -> Order:
    if term.embed is None:
        return draft.resolver.order(term)
    position = draft.names.get(term.embed)
    if position is None:
        raise not_embedded(term.embed)
    if not draft.related[position].is_one:
        raise RestError(
            "PGRST118",
            f"A related order on '{term.embed}' is not possible",
            details=f"'{draft.source.table.name}' and '{term.embed}' do not form a many-to-one"
            " or one-to-one relationship",
        )
    expression = draft.resolvers[position].expression(term.field)
    return Order(expression, term.direction, term.nulls, position)


def _own_order(draft: _Draft) -> tuple[Order, ...]:
    """Keep rows in the order of their key, if related rows decide which of them there are.

    PostgreSQL looks for these in any order, so that pages would overlap.
    """
    if not draft.required or draft.source.is_written or is_grouped(draft.outputs):
        return ()
    key = draft.source.table.primary_key
    return tuple(Order(draft.resolver.expression(Field(name)), None, None) for name in key)


def _link(found: Relationship) -> Link:
    if found.junction is None:
        return Link(_quoted(found.columns))
    return Link(
        outer=_quoted(found.junction.source_columns),
        junction=found.junction.table.sql_name,
        inner=_quoted(found.junction.target_columns),
    )


def _quoted(pairs: Sequence[tuple[str, str]]) -> ColumnPairs:
    return tuple((quote(one), quote(other)) for one, other in pairs)
