"""From a plan to the text of a statement: pure, and kept by shape."""

from db_api.sql.calls import call_statement
from db_api.sql.statements import Statement, explain_statement, read_statement
from db_api.sql.writes import delete_statement, insert_statement, update_statement

__all__ = [
    "Statement",
    "call_statement",
    "delete_statement",
    "explain_statement",
    "insert_statement",
    "read_statement",
    "update_statement",
]
