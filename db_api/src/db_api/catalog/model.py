"""Immutable descriptions of tables and of what relates them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from db_api.identifiers import SqlName

TableKind = Literal["table", "partitioned_table", "view", "materialized_view", "foreign_table"]
Cardinality = Literal["one-to-many", "many-to-one", "one-to-one", "many-to-many"]
Pairs = tuple[tuple[str, str], ...]
"""Columns of two tables that equal each other in related rows."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table or view.

    Attributes:
        type: what a value is cast to, in SQL, without length or precision (a cast to
            `character varying(3)` would cut a value that should be refused), and a domain's
            base (a comparison with a value outside the domain is false, not an error).
        declared_type: as declared, with length and precision; for people.
        default: the SQL expression PostgreSQL evaluates for a missing value, or None.
        is_generated: PostgreSQL computes it; it cannot be written.
    """

    name: str
    sql_name: SqlName
    type: str
    declared_type: str
    nullable: bool
    default: str | None
    is_generated: bool
    comment: str | None


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key, its columns in the order of the referenced ones."""

    name: str
    columns: tuple[str, ...]
    referenced_schema: str
    referenced_table: str
    referenced_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unique:
    """A unique constraint that is not the primary key."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """An index; `definition` is its CREATE INDEX statement."""

    name: str
    is_unique: bool
    definition: str


@dataclass(frozen=True, slots=True)
class ComputedColumn:
    """A function of a table's rows that is read like a column.

    Attributes:
        function: its qualified name; it takes one row of the table.
        type: what it returns, as `Column.type`.
    """

    name: str
    sql_name: SqlName
    function: SqlName
    type: str


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table, view, materialized view or foreign table.

    Compared by identity: a reload makes new tables, and whatever was built upon an old one
    (a plan, a statement's text) belongs to the old one.

    Attributes:
        columns: by name, in the order of the table.
        primary_key: names in key order; empty when there is none. A view has that of the table
            whose key it shows.
        row_estimate: as of the last ANALYZE; None when there was none.
        computed: functions of its rows in the same schema, by name.
    """

    schema: str
    name: str
    sql_name: SqlName
    kind: TableKind
    comment: str | None
    row_estimate: int | None
    columns: Mapping[str, Column]
    primary_key: tuple[str, ...]
    uniques: tuple[Unique, ...]
    foreign_keys: tuple[ForeignKey, ...]
    indexes: tuple[Index, ...]
    computed: Mapping[str, ComputedColumn] = field(default_factory=dict)

    @property
    def is_view(self) -> bool:
        """Tell whether its rows are those of other tables."""
        return self.kind in {"view", "materialized_view"}


@dataclass(frozen=True, slots=True)
class Junction:
    """A table each row of which relates one row of two tables.

    Attributes:
        constraints: the foreign keys to the source and to the target.
        source_columns: columns of the source, with those of the junction.
        target_columns: columns of the target, with those of the junction.
    """

    table: Table
    constraints: tuple[str, str]
    source_columns: Pairs
    target_columns: Pairs


@dataclass(frozen=True, slots=True)
class Relationship:
    """One way from the rows of a table to those of another in the same schema.

    Attributes:
        source: the name of the table from which it is seen.
        constraint: the foreign key's name; empty when there is a junction.
        columns: of the source, with those of the target; empty when there is a junction.
        is_self: source and target are the same.
    """

    source: str
    target: Table
    cardinality: Cardinality
    constraint: str
    columns: Pairs
    is_self: bool
    junction: Junction | None = None

    @property
    def is_to_one(self) -> bool:
        """Tell whether a row of the source has one row of the target at most."""
        return self.cardinality in {"many-to-one", "one-to-one"}

    @property
    def here(self) -> tuple[str, ...]:
        """The source's columns."""
        pairs = self.junction.source_columns if self.junction else self.columns
        return tuple(column for column, _ in pairs)
