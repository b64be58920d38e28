"""`license-server migrate`."""

import asyncio
from typing import Final

import click

from license_server.cli.target import Target, local_folder
from license_server.key_files import load_peppers
from license_server.repository.database import Database
from license_server.repository.grants import grant_to
from license_server.repository.migration import upgrade
from license_server.settings import load_settings

_EPILOG: Final = """\b
Examples:
  license-server --dir vendor migrate
  license-server --dir vendor migrate --grant-to license_server

The granted role may only add to the audit log: neither change nor delete what is in it."""


@click.command(epilog=_EPILOG)
@click.option("--grant-to", "role", metavar="ROLE", help="PostgreSQL role that will serve.")
@click.pass_obj
def migrate(target: Target, role: str | None) -> None:
    """Bring the database to the schema of this program; several may do so at once."""
    settings = load_settings(local_folder(target))
    load_peppers(settings.peppers_file)  # without its server's files a database is of no use
    database = Database.from_url(settings.database_url.get_secret_value())
    database.create_missing_file()
    click.echo(f"the database has revision {asyncio.run(_migrate(database, role))}")


async def _migrate(database: Database, role: str | None) -> str:
    revision = await upgrade(database)
    if role is not None:
        await grant_to(database, role)
    return revision
