"""Run the revisions of the license server on the connection that the program hands over.

The program holds the transaction, one for each revision, and the lock around it.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
