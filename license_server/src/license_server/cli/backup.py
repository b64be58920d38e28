"""`license-server backup …` and `license-server restore`."""

from pathlib import Path
from typing import Final

import click

from license_server import backups
from license_server.cli.output import say
from license_server.cli.target import Target, local_folder
from license_server.clock import utc_now
from license_server.errors import ConfigurationError
from license_server.settings import load_settings

_EPILOG: Final = """\b
Examples:
  license-server backup create backup.tar.gz
  license-server backup verify backup.tar.gz
  license-server restore backup.tar.gz --to new-vendor

A backup holds the server's secrets, but not the root key: keep it as safe as the server. It may be
made while the server runs. A PostgreSQL database is not in it: add
  pg_dump --format=custom "$DATABASE_URL" > licenses.dump"""

_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.group(epilog=_EPILOG)
def backup() -> None:
    """Back a server up, and prove that a backup is whole."""


@backup.command(epilog=_EPILOG)
@_file
@click.pass_obj
def create(target: Target, file: Path) -> None:
    """Write a backup of the server's files and its SQLite database."""
    settings = load_settings(local_folder(target))
    made = backups.back_up(settings, file, utc_now())
    say(f"wrote {file}: {', '.join(made)}")
    try:
        backups.note_backup(settings)
    except ConfigurationError as error:
        say(f"{error}: the doctor will not know of this backup")
    if backups.DATABASE not in made:
        say("The database is PostgreSQL: back it up by pg_dump.")


@backup.command(epilog=_EPILOG)
@_file
def verify(file: Path) -> None:
    """Prove that a backup is whole and its database sound."""
    click.echo(f"whole: {', '.join(backups.verify(file))}")


@click.command(epilog=_EPILOG)
@_file
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True, help="New folder.")
def restore(file: Path, folder: Path) -> None:
    """Make a server's folder of a backup.

    Compare it with a checkpoint then: `audit verify --against` shows what the backup lacks.
    """
    backups.restore(file, folder)
    say(f"restored to {folder}: run `license-server --dir {folder} audit verify --against …`")
