"""From a plan to the text of a statement: pure, and kept by shape."""

from db_api.sql.statements import Statement, explain_statement, insert_statement, read_statement

__all__ = ["Statement", "explain_statement", "insert_statement", "read_statement"]
