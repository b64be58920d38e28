"""`license-server config …`."""

from typing import Final

import click
from pydantic import SecretStr

from license_server.cli.output import as_json, show
from license_server.cli.target import Target, local_folder
from license_server.settings import Settings, load_settings

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
    show({name.upper(): _shown(settings, name) for name in Settings.model_fields}, is_json=is_json)


def _shown(settings: Settings, name: str) -> str | int | bool | None:
    value = getattr(settings, name)
    if isinstance(value, SecretStr):
        text = value.get_secret_value()
        return text if text.startswith("sqlite:///") else "(set)"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return value if value is None or isinstance(value, (int, bool)) else str(value)
