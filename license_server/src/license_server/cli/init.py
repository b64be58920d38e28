"""`license-server init`."""

import asyncio
from pathlib import Path

import click

from license_server.cli.output import as_json, print_json, print_record, say
from license_server.clock import utc_now
from license_server.key_files import ROOT_KEY
from license_server.products import Product
from license_server.setup import initialize

EPILOG = """\b
Examples:
  license-server init vendor
  license-server init vendor --product db-api --name "Data API"
  DATABASE_URL=postgresql://… license-server init vendor

The folder must be missing or empty. On any failure nothing is left in it."""


@click.command(epilog=EPILOG)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--product", "code", metavar="CODE", help="Create this product too.")
@click.option("--name", help="Its name; the code if not given.")
@click.option(
    "--database-url",
    metavar="URL",
    envvar="DATABASE_URL",
    show_envvar=True,
    help="An unused PostgreSQL database instead of a SQLite file in DIR.",
)
@as_json
def init(
    folder: Path, code: str | None, name: str | None, database_url: str | None, *, is_json: bool
) -> None:
    """Make a server in DIR: keys, peppers, database, settings, and an admin token."""
    if name is not None and code is None:
        raise click.UsageError("--name is the name of a product: give --product too")
    product = None if code is None else Product(code, name or code)
    made = asyncio.run(initialize(folder, product, database_url, utc_now()))
    result = {"folder": str(folder), "server_id": made.issuer, "admin_token": made.token}
    if is_json:
        print_json(result)
        return
    print_record(result)
    say(f"""
The admin token is shown this once: keep it in a password manager.

Take {folder / ROOT_KEY} offline now: copy it to a medium that you lock away, then delete it
here. The server never needs it, and whoever has it can make every client trust other keys.

Next:
  license-server --dir {folder} {"serve" if product else "product create CODE --name NAME"}""")
