"""Groups of commands: loaded late, and with one way from errors to exit statuses."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import click

from license_server.errors import ConfigurationError, LicenseServerError, StartRefused

_PACKAGE: Final = "license_server.cli"

START_REFUSED: Final = 78  # EX_CONFIG of sysexits.h
CONFIGURATION: Final = 6
EXIT_STATUS: Final[Mapping[str, int]] = {
    "INVALID_FIELD": 2,
    "MALFORMED_JSON": 2,
    "KEY_MALFORMED": 2,
    "NOT_FOUND": 3,
    "STATE_CONFLICT": 3,
    "IDEMPOTENCY_CONFLICT": 3,
    "ETAG_MISMATCH": 3,
    "CREDENTIAL_MISSING": 4,
    "CREDENTIAL_INVALID": 4,
    "ROLE_FORBIDDEN": 4,
    "RATE_LIMITED": 5,
    "NOT_READY": 5,
    "SIGNING_UNAVAILABLE": 5,
}
"""By the code of an error."""

_OTHER_FAULT: Final = 1


@dataclass(frozen=True, slots=True)
class Command:
    """A command that is not loaded yet.

    Attributes:
        target: `module:name` inside this package.
        summary: its line in the list of commands.
    """

    target: str
    summary: str

    def load(self) -> click.Command:
        """Import it."""
        module, _, name = self.target.partition(":")
        command: click.Command = getattr(import_module(f"{_PACKAGE}.{module}"), name)
        return command


class LazyGroup(click.Group):
    """A group that knows the names of its commands and imports only the one that is called."""

    def __init__(self, *args: Any, commands_by_name: Mapping[str, Command], **kwargs: Any) -> None:  # noqa: ANN401 - passed on to click
        super().__init__(*args, **kwargs)
        self._commands = commands_by_name

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names."""
        return list(self._commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Load a command."""
        command = self._commands.get(cmd_name)
        return None if command is None else command.load()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the list of commands without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, c.summary) for name, c in self._commands.items()])


class RootGroup(LazyGroup):
    """The whole program: an error of ours ends it with one line and the status of its kind."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except LicenseServerError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(exit_status(error))


def exit_status(error: LicenseServerError) -> int:
    """Return the status that a command ends with."""
    if isinstance(error, StartRefused):
        return START_REFUSED
    if isinstance(error, ConfigurationError):
        return CONFIGURATION
    return EXIT_STATUS.get(error.code, _OTHER_FAULT)
