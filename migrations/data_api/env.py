"""Run the revisions of the data API's own tables on the connection that the program hands over."""

from alembic import context
from sqlalchemy import Connection, text

SCHEMA = "db_api"


def run(connection: Connection) -> None:
    """Upgrade, each revision in a transaction of its own."""
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    connection.commit()
    context.configure(
        connection=connection, version_table_schema=SCHEMA, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()


run(context.config.attributes["connection"])
