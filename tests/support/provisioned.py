"""A PostgreSQL that asks for passwords, and customers on it whose logins are no superusers."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from db_api.api_keys import KeyType
from db_api.control.database import open_control
from db_api.control.logins import LoginStore
from db_api.control.migrations import migrate
from db_api.logins import LoginVault, url_of_login
from db_api.sealing import RootKeys
from support.commands import run_command
from support.postgres import Cluster

ADMIN: Final = "api_admin"
"""Who provisions and serves: may create roles, owns the databases, is a member of `OWNER`."""

OWNER: Final = "shop_owner"
STRANGER: Final = "stranger"
PASSWORD: Final = "canary-of-the-admin"
ROOT_SECRET: Final = "5c" * 32

_ROLES: Final = f"""
CREATE ROLE {ADMIN} LOGIN CREATEROLE PASSWORD '{PASSWORD}';
CREATE ROLE {OWNER} NOLOGIN;
CREATE ROLE {STRANGER} LOGIN PASSWORD '{PASSWORD}';
GRANT {OWNER} TO {ADMIN};
"""

_TABLES: Final = f"""
CREATE SCHEMA shop AUTHORIZATION {OWNER};
CREATE SCHEMA warehouse AUTHORIZATION {ADMIN};
SET ROLE {OWNER};
CREATE TABLE shop.items (id serial PRIMARY KEY, name text);
INSERT INTO shop.items (name) VALUES ('anvil');
CREATE TABLE shop.mine (id int, owner text);
INSERT INTO shop.mine VALUES (1, 'somebody');
ALTER TABLE shop.mine ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION shop.answer() RETURNS int LANGUAGE sql AS 'SELECT 42';
SET ROLE {ADMIN};
CREATE TABLE warehouse.secrets (id int);
"""
_numbers = count(1)


@contextmanager
def asking_for_passwords(cluster: Cluster) -> Iterator[Cluster]:
    """Have everybody but the superuser give a password, and all statements logged."""
    asyncio.run(_execute(cluster.url, _ROLES))
    cluster.be_strict()
    yield cluster


class Customer:
    """A database of `ADMIN`'s, with the service's own tables and a schema `shop` of `OWNER`'s."""

    def __init__(self, cluster: Cluster) -> None:
        self.name = f"customer{next(_numbers)}"
        asyncio.run(_execute(cluster.url, f"CREATE DATABASE {self.name} OWNER {ADMIN}"))
        self.superuser_url = urlunsplit(urlsplit(cluster.url)._replace(path=f"/{self.name}"))
        self.url = self.url_of(ADMIN, PASSWORD)
        self.environment = {
            "DATABASE_URL": self.url,
            "PROVISION_DATABASE_URL": self.url,
            "LICENSE_ENCRYPTION_KEY": ROOT_SECRET,
        }
        asyncio.run(migrate(self.url))
        self.execute(_TABLES)

    def url_of(self, role: str, password: str) -> str:
        """Return the URL of this database for a login."""
        return url_of_login(self.superuser_url, role, password)

    def execute(self, statements: str, url: str | None = None) -> None:
        """Run statements, as the superuser unless another login is given."""
        asyncio.run(_execute(url or self.superuser_url, statements))

    def fetch(self, query: str, url: str | None = None) -> list[tuple[Any, ...]]:
        """Run a query and return its rows."""

        async def run() -> list[tuple[Any, ...]]:
            connection = await asyncpg.connect(url or self.superuser_url)
            try:
                return [tuple(row) for row in await connection.fetch(query)]
            finally:
                await connection.close()

        return asyncio.run(run())

    def attempt(self, url: str, *statements: str) -> list[str]:
        """Run statements on one connection, and return what each came to: SQLSTATE, or `ok`."""

        async def run() -> list[str]:
            connection = await asyncpg.connect(url)
            outcomes = []
            try:
                for statement in statements:
                    try:
                        await connection.execute(statement)
                        outcomes.append("ok")
                    except asyncpg.PostgresError as error:
                        outcomes.append(error.sqlstate or "")
            finally:
                await connection.close()
            return outcomes

        return asyncio.run(run())

    def run(self, *line: str, **environment: str) -> Any:
        """Run a command that succeeds, and return the JSON that it prints."""
        done = run_command("db-api", *line, "--json", env={**self.environment, **environment})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refused(self, *line: str, **environment: str) -> tuple[int, str]:
        """Run a command that fails, and return its status and its one line."""
        done = run_command("db-api", *line, env={**self.environment, **environment})
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
        return done.returncode, done.stderr

    def logins(self, schema: str = "shop") -> dict[str, str]:
        """Return the URLs of a schema's logins by type of key, as the service opens them."""

        async def run() -> dict[str, str]:
            control = open_control(self.url)
            vault = LoginVault(self.url, RootKeys.parse(ROOT_SECRET))
            try:
                stored = await LoginStore(control).of_schema(schema)
                return {login.kind.value: vault.open(login).url for login in stored}
            finally:
                await control.dispose()

        return asyncio.run(run())

    def roles(self, schema: str = "shop") -> dict[str, str]:
        """Return the names of a schema's roles by type of key."""
        query = "SELECT kind, role_name FROM db_api.logins WHERE schema_name = $q$" + schema + "$q$"
        return dict(self.fetch(query))


ANON: Final = KeyType.ANON.value
SERVICE: Final = KeyType.SERVICE_ROLE.value


async def _execute(url: str, statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()
