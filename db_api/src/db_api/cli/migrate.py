"""`db-api migrate`: make or update the service's own tables."""

import asyncio
import json

import click

from db_api.cli.environment import database_url
from db_api.cli.exits import reported
from db_api.control import migrations
from db_api.control.revision import needed_revision

_EXAMPLES = """\b
Examples:
  DATABASE_URL=postgresql://owner@localhost/shop db-api migrate"""


@click.command(epilog=_EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def migrate(*, as_json: bool) -> None:
    """Bring the schema db_api in DATABASE_URL to the revision that this version needs.

    It holds the API keys and the audit trail. Running it again changes nothing, several at once
    wait for each other.
    """
    with reported():
        asyncio.run(migrations.migrate(database_url()))
    revision = needed_revision()
    if as_json:
        click.echo(json.dumps({"revision": revision}))
    else:
        click.echo(f"The schema db_api is at revision {revision}.")
