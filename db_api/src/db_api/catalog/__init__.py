"""The customer's schema, as PostgreSQL's catalogue describes it."""

from db_api.catalog.cache import Catalog
from db_api.catalog.fingerprint import read_fingerprint
from db_api.catalog.functions import Function, Parameter, result_table
from db_api.catalog.introspect import read_schema_cache
from db_api.catalog.listening import Listener
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
from db_api.catalog.watch import CatalogWatch, Pace

__all__ = [
    "Catalog",
    "CatalogWatch",
    "Column",
    "ComputedColumn",
    "ForeignKey",
    "Function",
    "Index",
    "Junction",
    "Listener",
    "Pace",
    "Parameter",
    "Relationship",
    "SchemaCache",
    "Table",
    "Unique",
    "read_fingerprint",
    "read_schema_cache",
    "result_table",
]
