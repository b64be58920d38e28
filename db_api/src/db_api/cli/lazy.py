"""Subcommands that are imported when they are used: most of them need few of our imports."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """A group of commands that stand in modules of their own.

    Args:
        commands_by_name: `module:attribute` of each.
        options: as `click.Group`.
    """

    def __init__(
        self,
        *,
        commands_by_name: Mapping[str, str],
        **options: Any,  # noqa: ANN401 - click's own, which it does not type
    ) -> None:
        super().__init__(**options)
        self._places = dict(commands_by_name)

    def list_commands(self, _context: click.Context) -> list[str]:
        """Name the commands in the order of the table."""
        return list(self._places)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Import a command."""
        if name not in self._places:
            return None
        module, _, attribute = self._places[name].partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self._places[name]} is no command")
        return command
