"""How rows of one table find rows of another: by foreign keys, through junctions and views.

The rules are PostgREST's. A view has the foreign keys of the tables under it whose columns it
shows; a table whose primary key holds two foreign keys joins the tables that they refer to.
Both ends of a relationship, and its junction, are in one schema, because a key sees one schema;
the table under a view may be anywhere.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Final, Self

from db_api.catalog.model import Cardinality, Junction, Pairs, Relationship, Table

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


@dataclass(frozen=True, slots=True)
class _Key:
    """A foreign key, and who shows its columns on either side, by name."""

    name: str
    cardinality: Cardinality
    starts: Mapping[Name, Sequence[_Reading]]
    ends: Mapping[Name, Sequence[_Reading]]


def view_primary_key(table: Table, shown: Mapping[str, Origin]) -> tuple[str, ...]:
    """Return a view's columns that show a table's whole primary key; none when it shows none."""
    names = _shown_as(table, shown)
    if all(column in names for column in table.primary_key):
        return tuple(names[column][0] for column in table.primary_key)
    return ()


class Relationships:
    """The relationships of a database, made when they are asked for.

    Views over the same tables are all related to each other: kept one by one, the relationships
    of a thousand views would fill the memory.

    Args:
        tables: every table and view; of views, the primary keys are known already.
        origins: of the views among them.
    """

    def __init__(self, tables: Mapping[Name, Table], origins: Origins) -> None:
        self._tables = tables
        views = _views_over(origins)
        keys = [key for table in tables.values() for key in _keys(table, tables, views, origins)]
        self._starting: defaultdict[Name, list[_Key]] = defaultdict(list)
        self._ending: defaultdict[Name, list[_Key]] = defaultdict(list)
        for key in keys:
            for name in key.starts:
                self._starting[name].append(key)
            for name in key.ends:
                self._ending[name].append(key)

    @classmethod
    def none(cls) -> Self:
        """Make the relationships of no tables."""
        return cls({}, {})

    def between(self, table: Table, target: str) -> tuple[Relationship, ...]:
        """Find the relationships from a table to what a target names, in a fixed order.

        Args:
            table: a table or view of this database.
            target: the name of a table or view of its schema, of a foreign key between the table
                and another one, or of the one column of such a key.
        """
        source = (table.schema, table.name)
        found = [
            *self._forward(source, target),
            *self._backward(source, target),
            *self._through(source, (table.schema, target)),
        ]
        return tuple(sorted(found, key=_rank))

    def targets(self, table: Table) -> set[str]:
        """Name the tables and views that a table is related to, through tables at most."""
        source = (table.schema, table.name)
        names = {name for key in self._starting.get(source, ()) for name in key.ends}
        for one in self._ending.get(source, ()):
            names |= one.starts.keys()
            between = self._starting.get(next(iter(one.starts)), ())
            names |= {name for other in between if other is not one for name in other.ends}
        return {name for schema, name in names if schema == table.schema}

    def _forward(self, source: Name, target: str) -> Iterator[Relationship]:
        for key in self._starting.get(source, ()):
            for start in key.starts[source]:
                for end in _named(key, key.ends, source, target, start.columns):
                    yield self._relate(key, start, end)

    def _backward(self, source: Name, target: str) -> Iterator[Relationship]:
        for key in self._ending.get(source, ()):
            for end in key.ends[source]:
                for start in _named(key, key.starts, source, target, end.columns):
                    yield self._relate(key, end, start, is_backward=True)

    def _through(self, source: Name, target: Name) -> Iterator[Relationship]:
        """Find junctions: tables and views whose primary key holds keys to both."""
        for one in self._ending.get(source, ()):
            for junction in one.starts if one.cardinality == "many-to-one" else ():
                if junction[0] != source[0]:
                    continue
                for other in self._starting.get(junction, ()):
                    is_other = other.name != one.name and other.cardinality == "many-to-one"
                    if is_other and target in other.ends:
                        yield from self._join(one, other, source, junction, target)

    def _join(
        self, one: _Key, other: _Key, source: Name, junction: Name, target: Name
    ) -> Iterator[Relationship]:
        primary_key = set(self._tables[junction].primary_key)
        choices = product(
            one.starts[junction], other.starts[junction], one.ends[source], other.ends[target]
        )
        for first, second, here, there in islice(choices, _MAX_READINGS):
            if primary_key.issuperset((*first.columns, *second.columns)):
                yield Relationship(
                    source=source[1],
                    target=self._tables[target],
                    cardinality="many-to-many",
                    constraint="",
                    columns=(),
                    is_self=source == target,
                    junction=Junction(
                        table=self._tables[junction],
                        constraints=(one.name, other.name),
                        source_columns=_pairs(here, first),
                        target_columns=_pairs(there, second),
                    ),
                )

    def _relate(
        self, key: _Key, here: _Reading, there: _Reading, *, is_backward: bool = False
    ) -> Relationship:
        cardinality = key.cardinality
        if is_backward and cardinality == "many-to-one":
            cardinality = "one-to-many"
        return Relationship(
            source=here.name[1],
            target=self._tables[there.name],
            cardinality=cardinality,
            constraint=key.name,
            columns=_pairs(here, there),
            is_self=here.name == there.name,
        )


def _named(
    key: _Key,
    readings: Mapping[Name, Sequence[_Reading]],
    source: Name,
    target: str,
    here: Sequence[str],
) -> Iterator[_Reading]:
    """Find the readings that a target names: by name, or by the key or its one column.

    The key and the column lead to the table itself, and a table or view that refers to itself
    back to it.
    """
    named = (source[0], target)
    yield from readings.get(named, ())
    if target == key.name or tuple(here) == (target,):
        own = next(iter(readings))
        for name in dict.fromkeys((own, source)):
            if name[0] == source[0] and name != named:
                yield from readings.get(name, ())


def _views_over(origins: Origins) -> Mapping[Name, Sequence[Name]]:
    views: defaultdict[Name, dict[Name, None]] = defaultdict(dict)
    for view, shown in origins.items():
        for origin in shown.values():
            views[origin.schema, origin.table][view] = None
    return {table: tuple(some) for table, some in views.items()}


def _keys(
    table: Table,
    tables: Mapping[Name, Table],
    views: Mapping[Name, Sequence[Name]],
    origins: Origins,
) -> Iterator[_Key]:
    uniques = {frozenset(unique.columns) for unique in table.uniques}
    uniques.add(frozenset(table.primary_key))
    for key in table.foreign_keys:
        referenced = tables.get((key.referenced_schema, key.referenced_table))
        if referenced is not None:
            yield _Key(
                name=key.name,
                cardinality="one-to-one" if frozenset(key.columns) in uniques else "many-to-one",
                starts=_readings(table, key.columns, views, origins),
                ends=_readings(referenced, key.referenced_columns, views, origins),
            )


def _readings(
    table: Table,
    columns: Sequence[str],
    views: Mapping[Name, Sequence[Name]],
    origins: Origins,
) -> Mapping[Name, Sequence[_Reading]]:
    own = (table.schema, table.name)
    found: dict[Name, Sequence[_Reading]] = {own: [_Reading(own, tuple(columns), is_view=False)]}
    for view in views.get(own, ()):
        names = _shown_as(table, origins[view])
        choices = product(*(names.get(column, ()) for column in columns))
        readings = [_Reading(view, some, is_view=True) for some in islice(choices, _MAX_READINGS)]
        if readings:
            found[view] = readings
    return found


def _shown_as(table: Table, shown: Mapping[str, Origin]) -> Mapping[str, Sequence[str]]:
    """Index the columns of a view by those of a table that they show."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    for name, origin in shown.items():
        if (origin.schema, origin.table) == (table.schema, table.name):
            names[origin.column].append(name)
    return names


def _pairs(here: _Reading, there: _Reading) -> Pairs:
    return tuple(zip(here.columns, there.columns, strict=True))


def _rank(relationship: Relationship) -> tuple[object, ...]:
    junction = relationship.junction
    return (
        relationship.target.name,
        _ORDER.index(relationship.cardinality),
        relationship.constraint,
        relationship.columns,
        (junction.table.name, junction.constraints) if junction else (),
    )
