"""`license-server keyset …`."""

import json
from pathlib import Path
from typing import Final

import click

from license_server.cli.output import say
from license_server.cli.target import Target, local_folder
from license_server.errors import ConfigurationError
from license_server.key_files import load_keysets
from license_server.settings import load_settings

EPILOG: Final = """\b
Examples:
  license-server keyset export-trust -o trust.json

The file holds public keys only. Ship it inside the application: its clients believe no server
whose key set these roots have not signed."""


@click.group(epilog=EPILOG)
def keyset() -> None:
    """Export what applications trust."""


@keyset.command("export-trust", epilog=EPILOG)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; standard output if missing.",
)
@click.pass_obj
def export_trust(target: Target, output: Path | None) -> None:
    """Write trust.json: the newest key set, signed by the roots."""
    newest = load_keysets(load_settings(local_folder(target)).keyset_file).newest
    text = json.dumps(newest.document())
    if output is None:
        click.echo(text)
        return
    try:
        output.write_text(f"{text}\n", encoding="ascii")
    except OSError as error:
        raise ConfigurationError(f"cannot write {output}: {error.strerror}") from error
    say(f"wrote {output}: key set {newest.content.epoch} of {newest.content.iss}")
