"""What a request says, before anyone looks whether the database has it.

Names are as the client wrote them, values are texts: PostgreSQL reads them as the column's type.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Aggregate = Literal["avg", "count", "max", "min", "sum"]
Direction = Literal["asc", "desc"]
Nulls = Literal["nullsfirst", "nullslast"]
Quantifier = Literal["any", "all"]
Join = Literal["inner", "left"]
Path = tuple[str, ...]
"""The names of embedded resources, from the outside in; empty for the table in the URL."""


@dataclass(frozen=True, slots=True)
class JsonStep:
    """One step into a JSON value: `->key`, `->>key`, `->0`."""

    key: str | int
    as_text: bool


@dataclass(frozen=True, slots=True)
class Field:
    """A column, or what a JSON path finds in it."""

    name: str
    path: tuple[JsonStep, ...] = ()


@dataclass(frozen=True, slots=True)
class SelectAll:
    """`*`: every column of the table."""


@dataclass(frozen=True, slots=True)
class SelectField:
    """`alias:field::cast`."""

    field: Field
    alias: str | None
    cast: str | None


@dataclass(frozen=True, slots=True)
class SelectAggregate:
    """`alias:field::cast.sum()::result_cast`; without a field, `count()` of the rows."""

    function: Aggregate
    field: Field | None
    cast: str | None
    alias: str | None
    result_cast: str | None


@dataclass(frozen=True, slots=True)
class SelectEmbed:
    """`alias:name!hint!inner(…)`, or `...name!hint!inner(…)`.

    Attributes:
        name: a table or view, or a foreign key or column that leads to one.
        hint: which of several relationships is meant.
        items: none of them when rows are only filtered by it.
        is_spread: its members are shown among those of the row around it.
    """

    name: str
    alias: str | None
    hint: str | None
    join: Join | None
    items: "tuple[SelectItem, ...]"
    is_spread: bool = False

    @property
    def shown_name(self) -> str:
        """What it is called in the answer."""
        return self.name if self.alias is None else self.alias


SelectItem = SelectAll | SelectField | SelectAggregate | SelectEmbed


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field=operator.value`; with a quantifier the value is an array literal."""

    field: Field
    operator: str
    value: str
    quantifier: Quantifier | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Membership:
    """`field=in.(a,b)`."""

    field: Field
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Truth:
    """`field=is.null` and the like; `what` is SQL's own word."""

    field: Field
    what: Literal["NULL", "NOT NULL", "TRUE", "FALSE", "UNKNOWN"]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class FullText:
    """`field=fts(language).query`, or `plfts`, `phfts`, `wfts`."""

    field: Field
    operator: Literal["fts", "plfts", "phfts", "wfts"]
    language: str | None
    query: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Logic:
    """`and(…)`, `or(…)`, `not.and(…)`, `not.or(…)`."""

    operator: Literal["and", "or"]
    operands: "tuple[Condition, ...]"
    negated: bool = False


Condition = Comparison | Membership | Truth | FullText | Logic


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """`field.desc.nullslast`, or `embed(field).desc.nullslast`."""

    field: Field
    direction: Direction | None
    nulls: Nulls | None
    embed: str | None = None


@dataclass(frozen=True, slots=True)
class Clauses:
    """What is said of the rows of one embedded resource.

    Attributes:
        where: all of them hold.
        limit: rows at most; None for no limit of the client's.
    """

    where: tuple[Condition, ...] = ()
    order: tuple[OrderTerm, ...] = ()
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query string.

    Attributes:
        select: `*` when the client named nothing.
        where: all of them hold.
        limit: rows at most; None for no limit of the client's.
        columns: what a write sets, None for the keys of its body.
        embedded: what is said of embedded resources, `rel.nested.col=eq.1` and the like.
        on_conflict: which columns say that a row exists, None for the primary key.
        after: the token of the page before.
        arguments: of a function, in the order in which they were given.
        is_about_all: a write that has no filter is meant so (`_all=true`).
    """

    select: tuple[SelectItem, ...]
    where: tuple[Condition, ...]
    order: tuple[OrderTerm, ...]
    limit: int | None
    offset: int
    columns: tuple[str, ...] | None
    embedded: Mapping[Path, Clauses] = field(default_factory=dict)
    on_conflict: tuple[str, ...] | None = None
    after: str | None = None
    arguments: tuple[tuple[str, str], ...] = ()
    is_about_all: bool = False
