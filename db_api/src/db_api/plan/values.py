"""The values of one request, apart from its plan."""

from typing import NewType

Value = str | bytes | int | tuple[str, ...]
"""What is bound: a text, the bytes of a body, a number of rows, or the items of a list."""

Slot = NewType("Slot", int)
"""The position of a value among those of its request."""


class Values:
    """Collects values while a request is planned."""

    def __init__(self) -> None:
        self._values: list[Value] = []

    def add(self, value: Value) -> Slot:
        """Keep a value and return where it stands."""
        self._values.append(value)
        return Slot(len(self._values) - 1)

    def __getitem__(self, slot: Slot) -> Value:
        return self._values[slot]
