"""How rows of one table find rows of another: by foreign keys, through junctions and views.

The rules are PostgREST's. A view has the foreign keys of the tables under it whose columns it
shows; a table whose primary key holds two foreign keys joins the tables that they refer to.
Both ends of a relationship, and its junction, are in one schema, because a key sees one schema;
the table under a view may be anywhere.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from types import MappingProxyType
from typing import Final

from db_api.catalog.model import Cardinality, ForeignKey, Junction, Relationship, Table

Name = tuple[str, str]
"""Schema and name."""

_MAX_READINGS: Final = 16
"""A view that shows a column of a key twice has its foreign key twice, and so on; a view that
shows them all ten times must not make a thousand."""

_ORDER: Final[tuple[Cardinality, ...]] = (
    "one-to-many", "many-to-one", "one-to-one", "many-to-many"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Origin:
    """The column of a table that a view's column shows unchanged."""

    schema: str
    table: str
    column: str


Origins = Mapping[Name, Mapping[str, Origin]]
"""Origins of the columns of each view, as far as they have one."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """A table, or a view that shows the columns of a key of it, in the key's order."""

    name: Name
    columns: tuple[str, ...]
    is_view: bool


def view_primary_key(table: Table, shown: Mapping[str, Origin]) -> tuple[str, ...]:
    """Return a view's columns that show a table's whole primary key; none when it shows none."""
    names = _shown_as(table, shown)
    if all(column in names for column in table.primary_key):
        return tuple(names[column][0] for column in table.primary_key)
    return ()


def find_relationships(
    tables: Mapping[Name, Table], origins: Origins
) -> Mapping[Name, tuple[Relationship, ...]]:
    """Find the relationships of every table and view, in a fixed order.

    Args:
        tables: every table and view; of views, the primary keys are known already.
        origins: of the views among them.
    """
    views = _views_over(origins)
    forward = [
        (source, relationship)
        for table in tables.values()
        for key in table.foreign_keys
        for source, relationship in _of_key(table, key, tables, views, origins)
    ]
    found: defaultdict[Name, list[Relationship]] = defaultdict(list)
    for source, relationship in forward:
        found[source].append(relationship)
        found[source[0], relationship.target.name].append(_inverse(source, relationship, tables))
    for source, relationship in _through_junctions(forward, tables):
        found[source].append(relationship)
    return MappingProxyType({name: tuple(sorted(some, key=_rank)) for name, some in found.items()})


def _views_over(origins: Origins) -> Mapping[Name, Sequence[Name]]:
    views: defaultdict[Name, dict[Name, None]] = defaultdict(dict)
    for view, shown in origins.items():
        for origin in shown.values():
            views[origin.schema, origin.table][view] = None
    return {table: tuple(some) for table, some in views.items()}


def _of_key(
    table: Table,
    key: ForeignKey,
    tables: Mapping[Name, Table],
    views: Mapping[Name, Sequence[Name]],
    origins: Origins,
) -> Iterator[tuple[Name, Relationship]]:
    """Make the relationships of a foreign key: of its tables, and of the views over them."""
    referenced = tables.get((key.referenced_schema, key.referenced_table))
    if referenced is None:
        return
    uniques = {frozenset(unique.columns) for unique in table.uniques} | {
        frozenset(table.primary_key)
    }
    cardinality: Cardinality = "one-to-one" if frozenset(key.columns) in uniques else "many-to-one"
    ends = list(_readings(referenced, key.referenced_columns, views, origins))
    for start in _readings(table, key.columns, views, origins):
        for end in ends:
            if start.name[0] == end.name[0]:
                yield (
                    start.name,
                    Relationship(
                        source=start.name[1],
                        target=tables[end.name],
                        cardinality=cardinality,
                        constraint=key.name,
                        columns=tuple(zip(start.columns, end.columns, strict=True)),
                        is_self=start.name == end.name and start.is_view == end.is_view,
                    ),
                )


def _readings(
    table: Table,
    columns: Sequence[str],
    views: Mapping[Name, Sequence[Name]],
    origins: Origins,
) -> Iterator[_Reading]:
    yield _Reading((table.schema, table.name), tuple(columns), is_view=False)
    for view in views.get((table.schema, table.name), ()):
        names = _shown_as(table, origins[view])
        choices = product(*(names.get(column, ()) for column in columns))
        for chosen in islice(choices, _MAX_READINGS):
            yield _Reading(view, chosen, is_view=True)


def _shown_as(table: Table, shown: Mapping[str, Origin]) -> Mapping[str, Sequence[str]]:
    """Index the columns of a view by those of a table that they show."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    for name, origin in shown.items():
        if (origin.schema, origin.table) == (table.schema, table.name):
            names[origin.column].append(name)
    return names


def _inverse(source: Name, forward: Relationship, tables: Mapping[Name, Table]) -> Relationship:
    return replace(
        forward,
        source=forward.target.name,
        target=tables[source],
        cardinality="one-to-one" if forward.cardinality == "one-to-one" else "one-to-many",
        columns=tuple((there, here) for here, there in forward.columns),
    )


def _through_junctions(
    forward: Iterable[tuple[Name, Relationship]], tables: Mapping[Name, Table]
) -> Iterator[tuple[Name, Relationship]]:
    by_junction: defaultdict[Name, list[Relationship]] = defaultdict(list)
    for name, relationship in forward:
        key = set(tables[name].primary_key)
        if relationship.cardinality == "many-to-one" and key.issuperset(relationship.here):
            by_junction[name].append(relationship)
    for name, relationships in by_junction.items():
        for one, other in product(relationships, repeat=2):
            if one.constraint != other.constraint:
                yield (
                    (name[0], one.target.name),
                    Relationship(
                        source=one.target.name,
                        target=other.target,
                        cardinality="many-to-many",
                        constraint="",
                        columns=(),
                        is_self=one.target is other.target,
                        junction=Junction(
                            table=tables[name],
                            constraints=(one.constraint, other.constraint),
                            source_columns=tuple((there, here) for here, there in one.columns),
                            target_columns=tuple((there, here) for here, there in other.columns),
                        ),
                    ),
                )


def _rank(relationship: Relationship) -> tuple[object, ...]:
    junction = relationship.junction
    return (
        relationship.target.name,
        _ORDER.index(relationship.cardinality),
        relationship.constraint,
        relationship.columns,
        (junction.table.name, junction.constraints) if junction else (),
    )
