"""Statements as text, compiled once: what is left of SQLAlchemy on the short way."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self, cast

from sqlalchemy import ClauseElement, make_url
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.compiler import SQLCompiler

_POSTGRESQL: Final = make_url("postgresql+asyncpg://").get_dialect()()
_SQLITE: Final = SQLiteDialect_pysqlite(paramstyle="named")


@dataclass(frozen=True, slots=True)
class Numbered:
    """A statement for asyncpg.

    Attributes:
        sql: text with `$1`, `$2`, ....
        names: what each number stands for.
        constants: parameters whose value the statement itself sets.
    """

    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, object]

    @classmethod
    def of(cls, statement: ClauseElement) -> Self:
        """Compile `statement`."""
        compiled = cast("SQLCompiler", statement.compile(dialect=_POSTGRESQL))
        return cls(str(compiled), tuple(compiled.positiontup or ()), _constants(compiled.params))

    def arguments(self, values: Mapping[str, object]) -> list[object]:
        """Return the values in the order of the numbers."""
        given = {**self.constants, **values}
        return [given[name] for name in self.names]


@dataclass(frozen=True, slots=True)
class Named:
    """A statement for sqlite3.

    Attributes:
        sql: text with `:name` parameters.
        constants: parameters whose value the statement itself sets.
    """

    sql: str
    constants: Mapping[str, object]

    @classmethod
    def of(cls, statement: ClauseElement) -> Self:
        """Compile `statement`."""
        compiled = statement.compile(dialect=_SQLITE)
        return cls(str(compiled), _constants(compiled.params))

    def arguments(self, values: Mapping[str, object]) -> dict[str, object]:
        """Return the values by name."""
        return {**self.constants, **values}


def _constants(parameters: Mapping[str, object]) -> Mapping[str, object]:
    return {name: value for name, value in parameters.items() if value is not None}
