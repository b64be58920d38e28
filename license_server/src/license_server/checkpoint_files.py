"""Where checkpoints of the audit log go: a file outside of the database, appended to."""

import os
from pathlib import Path
from typing import Final

from license_server.audit import EMPTY, Head
from license_server.checkpoints import CheckpointSigner
from license_server.desk import Desk
from license_server.errors import ConfigurationError

_MODE: Final = 0o600


async def record_checkpoint(desk: Desk, signer: CheckpointSigner, path: Path) -> Head:
    """Sign the head of the log and append that to a file, for good; return the head.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    newest = await desk.transaction.audit.newest(1)
    head = Head(newest[0].seq, newest[0].stored_hash or b"") if newest else EMPTY
    _append(path, signer.sign(head, desk.now))
    return head


def _append(path: Path, line: str) -> None:
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, _MODE)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from error
