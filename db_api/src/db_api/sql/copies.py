"""COPY of a read, which has no parameters: the values stand in its text, quoted by PostgreSQL.

Their places are marked with NULs, which no name and no text of PostgreSQL's can hold, so that
nothing else is ever taken for one (asyncpg's own way would take `$1` within a name for one).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from db_api.plan.node import Node
from db_api.plan.values import Slot
from db_api.sql.lines import write_ndjson_row
from db_api.sql.nodes import write_node
from db_api.sql.statements import KEPT_STATEMENTS
from db_api.sql.writer import ParameterType, Writer

_MARK: Final = re.compile("\0([0-9]+)\0")


@dataclass(frozen=True, slots=True)
class Copy:
    """A query whose rows are copied out.

    Attributes:
        marked: its text, with marks for the values.
        slots: of the values, in the order of their marks' numbers.
        quoting: the statement that quotes them; its parameters are the values.
    """

    marked: str
    slots: tuple[Slot, ...]
    quoting: str

    def query(self, quoted: Sequence[str]) -> str:
        """Return its text with quoted values."""
        return _MARK.sub(lambda mark: quoted[int(mark[1])], self.marked)


class _MarkingWriter(Writer):
    """Marks the places of values, and remembers what each of them is."""

    def __init__(self) -> None:
        super().__init__()
        self.types: dict[Slot, ParameterType] = {}

    def parameter(self, slot: Slot, type_: ParameterType) -> str:
        self.types[slot] = type_
        return super().parameter(slot, type_)

    def untyped_parameter(self, slot: Slot) -> str:
        self.types.setdefault(slot, "text")
        number = list(self.types).index(slot)
        return f"\0{number}\0"


@lru_cache(maxsize=KEPT_STATEMENTS)
def csv_copy(node: Node) -> Copy:
    """Write the copy of a node's rows."""
    writer = _MarkingWriter()
    return _copy(writer, write_node(writer, node))


@lru_cache(maxsize=KEPT_STATEMENTS)
def ndjson_copy(node: Node) -> Copy:
    """Write the copy of a node's rows as one text each."""
    writer = _MarkingWriter()
    return _copy(writer, f"SELECT {write_ndjson_row()} FROM ({write_node(writer, node)}) AS page")


def _copy(writer: _MarkingWriter, text: str) -> Copy:
    quoted = ", ".join(
        f"quote_literal(${number}::{type_}::text)"
        for number, type_ in enumerate(writer.types.values(), 1)
    )
    return Copy(text, tuple(writer.types), f"SELECT {quoted}")
