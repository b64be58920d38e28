"""How the commands take the name of a table."""

from dataclasses import dataclass

import click

from db_api.cli.schema_names import read_schema


@dataclass(frozen=True, slots=True)
class TableName:
    """A table and its schema."""

    schema: str
    table: str


def _read(context: click.Context, parameter: click.Parameter, text: str) -> TableName:
    schema, dot, table = text.partition(".")
    if not dot:
        raise click.BadParameter("SCHEMA.TABLE is expected, such as shop.products")
    return TableName(
        read_schema(context, parameter, schema), read_schema(context, parameter, table)
    )


table_argument = click.argument("table", metavar="SCHEMA.TABLE", callback=_read)
