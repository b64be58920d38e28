"""Where checkpoints of the audit log go: a file outside of the database, appended to."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from license_server.audit import EMPTY, Head
from license_server.checkpoints import CheckpointSigner, read_checkpoint
from license_server.desk import Desk
from license_server.errors import ConfigurationError
from license_server.keyset_history import KeySetHistory
from license_server.signing import CompactRejected

_MODE: Final = 0o600


@dataclass(frozen=True, slots=True)
class SeenHeads:
    """What the checkpoints of a file have seen.

    Attributes:
        heads: of the log, in the order of the file.
        refusals: number of each line that is left out, and why: a revoked key proves nothing.
    """

    heads: tuple[Head, ...]
    refusals: tuple[tuple[int, str], ...]


def read_heads(path: Path, keysets: KeySetHistory) -> SeenHeads:
    """Read the checkpoints of a file.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    try:
        lines = path.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read {path}: {type(error).__name__}") from error
    heads: list[Head] = []
    refusals: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        try:
            heads.append(read_checkpoint(line, keysets).head)
        except CompactRejected as error:
            refusals.append((number, str(error)))
    return SeenHeads(tuple(heads), tuple(refusals))


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
