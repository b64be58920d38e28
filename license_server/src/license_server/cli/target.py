"""Which server the commands mean."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click

TOKEN_VARIABLE: Final = "LICENSE_ADMIN_TOKEN"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True)
class Target:
    """Which server the commands mean.

    Attributes:
        folder: of the server, as `init` made it.
        server: instead: address of its admin API.
        token: admin token for that.
    """

    folder: Path
    server: str | None = None
    token: str | None = field(default=None, repr=False)


def admin_token() -> str | None:
    """Return the admin token of the environment: an option would show it to all processes."""
    return os.environ.get(TOKEN_VARIABLE)  # noqa: TID251 - a command has no settings but the folder's


def local_folder(target: Target) -> Path:
    """Return the server's folder, for commands that work on its files.

    Raises:
        UsageError: a server elsewhere is meant.
    """
    if target.server is not None:
        raise click.UsageError("this command works on the server's own folder: leave out --server")
    return target.folder
