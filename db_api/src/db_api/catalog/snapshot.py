"""The snapshot that holds everything known of a database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

from db_api.catalog.functions import Function, Functions
from db_api.catalog.model import Table
from db_api.catalog.relationships import Relationships


@dataclass(frozen=True, slots=True)
class SchemaCache:
    """Everything known of the database at one moment.

    Attributes:
        by_schema: tables by schema and name, names in alphabetical order.
        cast_types: types that a request may cast to: name as a client writes it (lower case,
            or as created) to its SQL form; types of one schema under `(schema, name)`,
            built-in ones under `("", name)`.
        relationships: between all of them.
        functions: what can be called.
    """

    by_schema: Mapping[str, Mapping[str, Table]]
    cast_types: Mapping[tuple[str, str], str]
    relationships: Relationships = field(default_factory=Relationships.none)
    functions: Functions = field(default_factory=dict)

    @classmethod
    def empty(cls) -> Self:
        """Make the snapshot that knows nothing."""
        return cls(MappingProxyType({}), MappingProxyType({}))

    def tables(self, schema: str) -> tuple[Table, ...]:
        """List the tables of a schema in alphabetical order; none for an unknown schema."""
        return tuple(self.by_schema.get(schema, {}).values())

    def table(self, schema: str, name: str) -> Table | None:
        """Find a table by its exact name."""
        return self.by_schema.get(schema, {}).get(name)

    def overloads(self, schema: str, name: str) -> tuple[Function, ...]:
        """List the functions of one name, those with the fewest parameters first."""
        return self.functions.get(schema, {}).get(name, ())

    def cast_type(self, schema: str, name: str) -> str | None:
        """Resolve the type of a `::type` cast: the schema's own types, then built-in ones."""
        return self.cast_types.get((schema, name)) or self.cast_types.get(("", name.lower()))
