"""How the commands take the name of a schema."""

import click

from db_api.identifiers import InvalidNameError, quote


def read_schema(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    """Take a name that PostgreSQL can have; anything else is wrong usage."""
    try:
        quote(name)
    except InvalidNameError as error:
        raise click.BadParameter(str(error)) from None
    return name


schema_option = click.option(
    "--schema", required=True, callback=read_schema, help="The schema, by its name."
)
schema_argument = click.argument("schema", callback=read_schema)
