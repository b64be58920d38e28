"""Plans: frozen, comparable, free of the request's values.

Names are SQL names already; a `Slot` stands for a value.
"""

from dataclasses import dataclass
from typing import Final, Literal

from db_api.identifiers import SqlName
from db_api.plan.node import Node, Predicate
from db_api.plan.values import Slot


@dataclass(frozen=True, slots=True)
class View:
    """What becomes of the rows of a node.

    Attributes:
        shape: a JSON array, its first object alone, the column `value` of all rows or of the first
            one, lines of CSV or NDJSON, or nothing.
        strips_nulls: members that are null are left out.
        has_next: the keys of the last row are told, by which a next page begins.
    """

    shape: Literal["array", "object", "values", "value", "csv", "ndjson", "none"]
    strips_nulls: bool = False
    has_next: bool = False


NOTHING: Final = View("none")


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """A read.

    Attributes:
        total: how the rows are counted: all of them, at most as many as the slot says, or not.
        next_row: the offset of the row after the page, when the server's cap may have cut it;
            None when it cannot.
        last_row: the offset of the page's last row, when the next page is to begin after it.
    """

    node: Node
    view: View
    total: Literal["exact"] | Slot | None
    next_row: Slot | None
    last_row: Slot | None


@dataclass(frozen=True, slots=True)
class Target:
    """A column that is written.

    Attributes:
        default: the SQL expression for a row that lacks it; None to write NULL.
        key: its name in the body, when there is a default.
    """

    column: SqlName
    type: str
    default: str | None = None
    key: Slot | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """The rows in a JSON body, and which columns are taken from them.

    Attributes:
        is_object: the body is one row without an array around it.
    """

    body: Slot
    is_object: bool
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a function, given by name."""

    name: SqlName
    is_variadic: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function, with named arguments or with a whole body.

    Attributes:
        incoming: where the arguments are taken from; None when there are none.
        body: the only argument, which has no name.
        body_type: what it is cast to.
        returns_rows: what it returns has columns.
    """

    function: SqlName
    arguments: tuple[Argument, ...]
    incoming: Incoming | None
    body: Slot | None
    body_type: str | None
    returns_rows: bool


@dataclass(frozen=True, slots=True)
class CallPlan:
    """A call, and what is read of what it returns."""

    call: Call
    read: ReadPlan


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of the rows that a write touched.

    Attributes:
        returning: the columns that `node` reads; none when nothing is shown.
        node: its source is the written rows.
    """

    returning: tuple[SqlName, ...]
    node: Node
    view: View


@dataclass(frozen=True, slots=True)
class Conflict:
    """What becomes of a row that exists already.

    Attributes:
        columns: what says that it does; a unique constraint or index holds them.
        is_merged: it takes the values of the body, else it stays as it is.
    """

    columns: tuple[SqlName, ...]
    is_merged: bool


@dataclass(frozen=True, slots=True)
class InsertPlan:
    """An insert of the rows in a body.

    Attributes:
        only: the rows of the body for which all of these hold.
        conflict: None where a row that exists is an error.
    """

    table: SqlName
    rows: Incoming
    only: tuple[Predicate, ...]
    conflict: Conflict | None
    shown: Shown


@dataclass(frozen=True, slots=True)
class UpdatePlan:
    """An update of some rows by the first one of a body.

    Attributes:
        is_counted: all rows that are written are counted, shown or not.
    """

    table: SqlName
    rows: Incoming
    where: tuple[Predicate, ...]
    shown: Shown
    is_counted: bool


@dataclass(frozen=True, slots=True)
class DeletePlan:
    """A removal of some rows.

    Attributes:
        is_counted: as in `UpdatePlan`.
    """

    table: SqlName
    where: tuple[Predicate, ...]
    shown: Shown
    is_counted: bool
