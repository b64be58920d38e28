"""What a request says, before anyone looks whether the database has it.

Names are as the client wrote them, values are texts: PostgreSQL reads them as the column's type.
"""

from dataclasses import dataclass
from typing import Literal

Direction = Literal["asc", "desc"]
Nulls = Literal["nullsfirst", "nullslast"]
Quantifier = Literal["any", "all"]


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


SelectItem = SelectAll | SelectField


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
class Logic:
    """`and(…)`, `or(…)`, `not.and(…)`, `not.or(…)`."""

    operator: Literal["and", "or"]
    operands: "tuple[Condition, ...]"
    negated: bool = False


Condition = Comparison | Membership | Truth | Logic


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """`field.desc.nullslast`."""

    field: Field
    direction: Direction | None
    nulls: Nulls | None


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query string.

    Attributes:
        select: `*` when the client named nothing.
        where: all of them hold.
        limit: rows at most; None for no limit of the client's.
        columns: what a write sets, None for the keys of its body.
    """

    select: tuple[SelectItem, ...]
    where: tuple[Condition, ...]
    order: tuple[OrderTerm, ...]
    limit: int | None
    offset: int
    columns: tuple[str, ...] | None
