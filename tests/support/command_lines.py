"""Command lines of our programs as a document shows them, held against the programs."""

import re
import shlex
from collections.abc import Iterator
from typing import Final

import click

import db_api.cli
import license_client._commands
import license_server.cli

PROGRAMS: Final[dict[str, click.Command]] = {
    "db-api": db_api.cli.main,
    "license-server": license_server.cli.main,
    "license-client": license_client._commands.license_client,
}
_START: Final = re.compile(rf"(?:^|[`(\s])((?:{'|'.join(PROGRAMS)}) [a-z-][^`\n)]*)", re.MULTILINE)


def lines_in(text: str) -> Iterator[str]:
    """Yield what a document shows as a command of ours: in backticks, or at a prompt."""
    for fragment in re.findall(r"`([^`\n]+)`|^\$ (.*)$", text, re.MULTILINE):
        line = next(filter(None, fragment))
        yield from _START.findall(line)


def mistake_in(line: str) -> str | None:
    """Say what a command line names that its program does not have; None for nothing."""
    name, *words = shlex.split(re.split(r"[<>|#]", line)[0])
    context = click.Context(PROGRAMS[name])
    command, given = PROGRAMS[name], set(_options(PROGRAMS[name]))
    for word in words:
        if word.startswith("--"):
            if word.partition("=")[0] not in given:
                return f"{line!r}: no option {word}"
        elif isinstance(command, click.Group) and (found := command.get_command(context, word)):
            command, given = found, given | set(_options(found))
    return f"{line!r}: ends in a group" if isinstance(command, click.Group) else None


def _options(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        yield from parameter.opts
