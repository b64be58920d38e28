"""The command `db-api`.

Exit statuses: 0 done, 1 failed, 2 wrong usage, 6 wrong settings, 78 no usable license.
"""

import click

from db_api._version import __version__
from db_api.cli.lazy import LazyGroup

_EPILOG = """\b
Examples:
  db-api migrate && db-api serve
  db-api keys create --schema shop --name website --type anon
\b
Settings come from the environment; each secret also from a file, as NAME_FILE:
  DATABASE_URL=postgresql://user:password@host:5432/name
  AUTH_USER=admin  AUTH_PASS_FILE=/run/secrets/auth_pass
  LICENSE_SERVER_URL=https://…  LICENSE_KEY=…  LICENSE_EMAIL=…  LICENSE_ENCRYPTION_KEY=…
\b
Exit status: 0 done, 1 failed, 2 wrong usage, 6 wrong settings, 78 no usable license."""


@click.group(
    cls=LazyGroup,
    commands_by_name={
        "serve": "db_api.cli.serve:serve",
        "migrate": "db_api.cli.migrate:migrate",
        "activate": "db_api.cli.activate:activate",
        "activate-license": "db_api.cli.activate:activate",
        "doctor": "db_api.cli.doctor:doctor",
        "demo": "db_api.cli.demo:demo",
        "keys": "db_api.cli.keys:keys",
        "schema": "db_api.cli.schema:schema",
        "openapi": "db_api.cli.openapi:openapi",
        "sql": "db_api.cli.sql:sql",
        "import": "db_api.cli.imports:import_",
        "export": "db_api.cli.exports:export",
        "provision": "db_api.cli.provision:provision",
        "deprovision": "db_api.cli.provision:deprovision",
        "grants": "db_api.cli.provision:grants",
        "logins": "db_api.cli.logins:logins",
        "gen": "db_api.cli.gen:gen",
    },
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="db-api")
def main() -> None:
    """A licensed REST API over your PostgreSQL."""
