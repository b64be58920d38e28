"""The customer's schema, as PostgreSQL's catalogue describes it."""

from db_api.catalog.cache import Catalog
from db_api.catalog.introspect import read_schema_cache
from db_api.catalog.model import (
    Column,
    ComputedColumn,
    ForeignKey,
    Index,
    Junction,
    Relationship,
    Table,
    Unique,
)
from db_api.catalog.snapshot import SchemaCache

__all__ = [
    "Catalog",
    "Column",
    "ComputedColumn",
    "ForeignKey",
    "Index",
    "Junction",
    "Relationship",
    "SchemaCache",
    "Table",
    "Unique",
    "read_schema_cache",
]
