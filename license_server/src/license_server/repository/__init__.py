"""The only SQL of this package.

`tables` and `statements` describe it once for SQLite and PostgreSQL. Requests of clients take the
short way past SQLAlchemy's executor (`postgres`, `sqlite`); the vendor's work takes the long one
(`administration`).
"""
