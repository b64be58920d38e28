"""Schema caches made by hand, for what is decided without a database."""

from types import MappingProxyType

from db_api.catalog import Column, SchemaCache, Table
from db_api.catalog.relationships import Relationships
from db_api.identifiers import qualify, quote

CAST_TYPES = MappingProxyType(
    {("", "text"): "text", ("", "int"): "pg_catalog.int4", ("shop", "mood"): "shop.mood"}
)


def make_table(name: str, primary_key: tuple[str, ...] = ("id",), /, **types: str) -> Table:
    """Make a table of schema `shop`; a type may be followed by ` = default`."""
    columns = [_column(column, *spec.split(" = ", 1)) for column, spec in types.items()]
    return Table(
        schema="shop",
        name=name,
        sql_name=qualify("shop", name),
        kind="table",
        comment=None,
        row_estimate=None,
        columns=MappingProxyType({column.name: column for column in columns}),
        primary_key=primary_key,
        uniques=(),
        foreign_keys=(),
        indexes=(),
    )


def _column(name: str, type_: str, default: str | None = None) -> Column:
    return Column(
        name=name,
        sql_name=quote(name),
        type=type_,
        declared_type=type_,
        nullable=True,
        default=default,
        is_generated=False,
        comment=None,
    )


def make_schema_cache(*tables: Table) -> SchemaCache:
    """Make a schema cache that knows these tables of schema `shop`."""
    by_name = MappingProxyType({table.name: table for table in tables})
    relationships = Relationships({("shop", table.name): table for table in tables}, {})
    return SchemaCache(MappingProxyType({"shop": by_name}), CAST_TYPES, relationships)
