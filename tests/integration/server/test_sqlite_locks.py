"""What other processes lock of a SQLite file while a server is on it."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from license_server.repository.database import Database
from license_server.repository.sqlite import SqliteLicenses

# Bytes 120 to 122 of the index are the locks of the writer, the checkpointer and of who makes the
# index anew (sqlite.org/walformat.html#locks).
_LOCKER = """
import fcntl, os, sys
index = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.lockf(index, fcntl.LOCK_EX, 3, 120)
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def locking_all_but_readers(file: Path) -> Iterator[None]:
    """Hold what another connection holds for an instant when it makes the index of the WAL."""
    command = (sys.executable, "-c", _LOCKER, f"{file}-shm")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as locker:
        assert locker.stdout is not None
        assert locker.stdout.readline() == b"locked\n"
        yield


@pytest.mark.anyio
async def test_the_first_request_waits_for_nobody(migrated_file: Path, tmp_path: Path) -> None:
    file = Path(shutil.copy(migrated_file, tmp_path / "license-server.db"))
    licenses = SqliteLicenses(Database.of_file(file))
    await licenses.open()
    with locking_all_but_readers(file):
        await licenses.require_ready()
        await licenses.advance_newest_time(datetime(2030, 1, 1, tzinfo=UTC))
    await licenses.close()
