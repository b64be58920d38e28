"""Secrets that come as files, NAME_FILE instead of NAME: how containers hand them in."""

import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

_OTHERS: Final = stat.S_IRGRP | stat.S_IROTH
_ROOT: Final = 0
_CREDENTIAL: Final = stat.S_IRUSR | stat.S_IRGRP


def with_secret_files(
    environ: Mapping[str, str], names: Iterable[str]
) -> tuple[dict[str, str], list[str]]:
    """Take the contents of `NAME_FILE` as NAME; an empty variable counts as unset.

    Args:
        environ: of the process.
        names: of the secrets.

    Returns:
        The values, and a sentence for each mistake.
    """
    values = {name: value for name, value in environ.items() if value}
    mistakes = []
    for name in names:
        file = values.get(f"{name}_FILE")
        if file is None:
            continue
        if name in values:
            mistakes.append(f"{name}: set either {name} or {name}_FILE")
            continue
        try:
            values[name] = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            mistakes.append(f"{name}_FILE: cannot be read ({type(error).__name__})")
    return values, mistakes


def readable_by_others(environ: Mapping[str, str], names: Iterable[str]) -> tuple[str, ...]:
    """Return the `NAME_FILE` variables whose files other users of the machine may read."""
    variables = [f"{name}_FILE" for name in names if environ.get(f"{name}_FILE")]
    return tuple(variable for variable in variables if _is_readable(Path(environ[variable])))


def _is_readable(path: Path) -> bool:
    try:
        info = path.stat()
    except OSError:
        return False
    return is_open(info.st_mode, info.st_uid, info.st_gid)


def is_open(mode: int, owner: int, group: int) -> bool:
    """Tell whether others than a file's user may read it.

    systemd hands a credential to a service as a file of root's, for reading alone, whose access
    list shows as the right of the group root.
    """
    is_credential = owner == group == _ROOT and stat.S_IMODE(mode) == _CREDENTIAL
    return bool(mode & _OTHERS) and not is_credential
