"""Files that hold secrets: read only if nobody else can, and made so that nobody else can."""

import os
import stat
from pathlib import Path

from license_server.errors import ConfigurationError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_ROOT = 0
_CREDENTIAL = stat.S_IRUSR | stat.S_IRGRP
_OWNER_ONLY = stat.S_IRUSR | stat.S_IWUSR


def read_secret(path: Path, what: str) -> bytes:
    """Return the bytes of a secret file.

    Args:
        path: where it is.
        what: its name in messages, such as "the signing key".

    Raises:
        ConfigurationError: it is missing, unreadable, or open to other users.
    """
    try:
        with path.open("rb") as file:
            info = os.fstat(file.fileno())
            content = file.read()
    except FileNotFoundError as error:
        raise ConfigurationError(missing(path, what)) from error
    except OSError as error:
        raise ConfigurationError(f"cannot read {what} {path}: {error.strerror}") from error
    if is_open(info.st_mode, info.st_uid, info.st_gid):
        raise ConfigurationError(
            f"{what} {path} is open to other users (mode {stat.S_IMODE(info.st_mode):04o}): "
            f"run `chmod 600 {path}`"
        )
    return content


def is_open(mode: int, owner: int, group: int) -> bool:
    """Tell whether others than a file's user may use it.

    systemd hands a credential to a service as a file of root's, for reading alone, whose access
    list shows as the right of the group root.
    """
    is_credential = owner == group == _ROOT and stat.S_IMODE(mode) == _CREDENTIAL
    return bool(mode & _OTHERS) and not is_credential


def missing(path: Path, what: str) -> str:
    """Return what to do about a file of `init` that is not there."""
    return (
        f"{what} {path} is missing: name the server's folder by --dir, restore the file, or make "
        "a new server by `license-server init`"
    )


def write_secret(path: Path, content: bytes) -> None:
    """Make a new file of mode 0600 and put it on disk for good.

    Raises:
        FileExistsError: there is one already.
    """
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNER_ONLY), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, content: bytes) -> None:
    """Put new content in the place of a file of mode 0600: whole or not at all, and for good.

    Raises:
        ConfigurationError: it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.new")
    try:
        unfinished.unlink(missing_ok=True)
        write_secret(unfinished, content)
        unfinished.rename(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from error
