"""One server for each SQLite file: two would wait for each other's locks and count limits apart."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from license_server.errors import ConfigurationError, StartRefused
from license_server.repository.database import Database


@contextmanager
def sole_process(database: Database) -> Iterator[None]:
    """Hold a SQLite database for this process; any number may share one on PostgreSQL.

    Raises:
        StartRefused: another server has it.
        ConfigurationError: the file cannot be opened.
    """
    if database.path is None or sys.platform == "win32":
        yield
        return
    # SQLite's own locks are of another kind (fcntl, not flock): they do not meet
    import fcntl  # noqa: PLC0415 - there is none on Windows

    try:
        descriptor = os.open(database.require_file(), os.O_RDONLY)
    except OSError as error:
        raise ConfigurationError(f"cannot open {database.path}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise StartRefused(
            f"another server uses {database.path}, and SQLite is for one: stop it, or keep the "
            "licenses in PostgreSQL, which any number of servers can share (DATABASE_URL)"
        ) from error
    try:
        yield
    finally:
        os.close(descriptor)
