"""The customer's schema, as PostgreSQL's catalogue describes it."""

from db_api.catalog.cache import Catalog
from db_api.catalog.model import Column, ForeignKey, Index, SchemaCache, Table, Unique

__all__ = ["Catalog", "Column", "ForeignKey", "Index", "SchemaCache", "Table", "Unique"]
