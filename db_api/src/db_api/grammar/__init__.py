"""Requests as texts, turned into typed values: nothing here knows the database.

Everything outside `grammar` sees `read_query`, `read_preferences`, `read_accept` and the values
of `grammar.ast`. Whatever the text, the only error is `RestError`.
"""
