"""Logins of the run's PostgreSQL with no more rights than a test gives them."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

from support.management import execute

MODEST = "GRANT CONNECT, CREATE ON DATABASE {database} TO {login}"
"""What a login needs to migrate and to serve."""


def as_login(database_url: str, login: str) -> str:
    """Return the URL of the same database for another login."""
    parts = urlsplit(database_url)
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}"))


@contextmanager
def new_login(database_url: str, options: str = "", *statements: str) -> Iterator[str]:
    """Make a login and yield its URL; dropped afterwards, with all that it owns.

    Args:
        database_url: a superuser's.
        options: of CREATE ROLE.
        statements: with `{login}` and `{database}` in them.
    """
    login = f"login_{uuid.uuid4().hex[:12]}"
    database = urlsplit(database_url).path.strip("/")
    made = [statement.format(login=login, database=database) for statement in statements]
    asyncio.run(execute(database_url, "; ".join([f"CREATE ROLE {login} LOGIN {options}", *made])))
    try:
        yield as_login(database_url, login)
    finally:
        dropped = f"REASSIGN OWNED BY {login} TO CURRENT_USER; DROP OWNED BY {login}"
        asyncio.run(execute(database_url, f"{dropped}; DROP ROLE {login}"))
