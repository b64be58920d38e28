"""From a plan to the text of a statement: pure, and kept by shape."""

from db_api.sql.calls import call_statement
from db_api.sql.copies import csv_copy, ndjson_copy
from db_api.sql.statements import Statement, explain_statement, read_statement
from db_api.sql.writes import delete_statement, insert_statement, update_statement

__all__ = [
    "Statement",
    "call_statement",
    "csv_copy",
    "delete_statement",
    "explain_statement",
    "insert_statement",
    "ndjson_copy",
    "read_statement",
    "update_statement",
]
