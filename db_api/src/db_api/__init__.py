"""A licensed REST API over the customer's PostgreSQL.

`app.build_app` is the composition root and `cli` the way in; `license_gate` alone imports the
licensing SDK.
"""
