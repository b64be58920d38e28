"""Values on their way through a file: more of them than memory holds.

What is put there must be fit to be at rest: blinded, sealed, or nobody's secret.
"""

import pickle
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Generic, Self, TypeVar

_Value = TypeVar("_Value")
_PROTOCOL: Final = 5


class Spool(Generic[_Value]):
    """Keeps values in their order, in a file without a name that ends with the `with` block."""

    def __enter__(self) -> Self:
        self._file = tempfile.TemporaryFile()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, value: _Value) -> None:
        """Put a value behind the others."""
        pickle.dump(value, self._file, _PROTOCOL)

    def __iter__(self) -> Iterator[_Value]:
        """Yield all values; none may be added meanwhile."""
        end = self._file.tell()
        self._file.seek(0)
        while self._file.tell() < end:
            value: _Value = pickle.load(self._file)  # noqa: S301 - no other process can write to this file
            yield value
