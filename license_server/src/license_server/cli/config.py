"""`license-server config …`."""

from typing import Final

import click

from license_server.cli.output import as_json, show
from license_server.cli.target import Target, local_folder
from license_server.settings import load_settings, shown_settings

_EPILOG: Final = """\b
Examples:
  license-server config show
  license-server config show --json

Settings come from the environment, else from license-server.env in the server's folder."""


@click.group(epilog=_EPILOG)
def config() -> None:
    """Show the settings that hold."""


@config.command("show", epilog=_EPILOG)
@as_json
@click.pass_obj
def show_(target: Target, *, is_json: bool) -> None:
    """Show all settings; secrets are masked."""
    settings = load_settings(local_folder(target))
    show({one.name: one.value for one in shown_settings(settings)}, is_json=is_json)
