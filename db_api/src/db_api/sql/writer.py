"""What a statement is put together with: its parameters, and names for the rows it knows.

Parameters are numbered in the order of their first use.
"""

from typing import Literal

from db_api.plan.values import Slot

ParameterType = Literal["text", "text[]", "int8", "bytea"]
"""What a parameter is bound as: few types, so that the driver needs no others."""


class Writer:
    """Numbers the parameters and the rows of one statement."""

    def __init__(self) -> None:
        self._numbers: dict[Slot, int] = {}
        self._rows = 0

    def rows(self) -> str:
        """Make up a name for rows: `t1`."""
        self._rows += 1
        return f"t{self._rows}"

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The slots whose values are bound, in the order of the parameters."""
        return tuple(self._numbers)

    def parameter(self, slot: Slot, type_: ParameterType) -> str:
        """Write a parameter: `$1::text`."""
        return f"{self.untyped_parameter(slot)}::{type_}"

    def untyped_parameter(self, slot: Slot) -> str:
        """Write a parameter whose type its place decides: `$1`."""
        return f"${self._numbers.setdefault(slot, len(self._numbers) + 1)}"
