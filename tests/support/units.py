"""The systemd units of `deploy/`: what they say, and their services started as they say it.

No service manager runs in a test: what it would do for a service's environment and credentials is
done here, and what its sandbox would forbid is read off a trace of the system calls.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from support.servers import BIN, RunningServer, running

UNITS: Final = Path(__file__).parents[2] / "deploy" / "systemd"
NAMES: Final = ("db-api", "license-server")
_CALL: Final = re.compile(r"^\d+ +(\w+)\((.*)")


@dataclass(frozen=True, slots=True)
class Call:
    """A system call of a trace.

    Attributes:
        name: of it.
        arguments: as the tracer writes them.
    """

    name: str
    arguments: str


@dataclass(frozen=True)
class Unit:
    """A unit file.

    Attributes:
        name: of the service.
    """

    name: str

    @property
    def file(self) -> Path:
        """Where it stands."""
        return UNITS / f"{self.name}.service"

    @cached_property
    def text(self) -> str:
        """All that it says."""
        return self.file.read_text(encoding="utf-8")

    def values(self, key: str) -> list[str]:
        """Return what each line of a key says."""
        lines = self.text.splitlines()
        return [line.partition("=")[2] for line in lines if line.startswith(f"{key}=")]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that it sets."""
        pairs = (value.partition("=") for value in self.values("Environment"))
        return {name: value for name, _, value in pairs}

    @property
    def credentials(self) -> dict[str, Path]:
        """The file of each credential on the machine."""
        pairs = (value.partition(":") for value in self.values("LoadCredential"))
        return {name: Path(file) for name, _, file in pairs}

    @property
    def folder(self) -> Path:
        """Where the machine keeps what its service is given."""
        (folder,) = {file.parent for file in self.credentials.values()}
        return folder

    @property
    def allowed_calls(self) -> set[str]:
        """The system calls that its filters let through."""
        allowed: set[str] = set()
        for value in self.values("SystemCallFilter"):
            names = {name for group in value.lstrip("~").split() for name in _calls_of(group)}
            allowed = allowed - names if value.startswith("~") else allowed | names
        return allowed

    def on_this_machine(self, folder: Path) -> Path:
        """Write it as it would stand on a machine with our packages in /opt."""
        copy = folder / self.file.name
        copy.write_text(self.text.replace(f"/opt/{self.name}/bin", str(BIN)))
        return copy

    @contextmanager
    def started(
        self, folder: Path, files: Mapping[str, str], settings: Mapping[str, str]
    ) -> Iterator[tuple[RunningServer, Path]]:
        """Start its service and yield it, and the trace of its system calls.

        Args:
            folder: of this start; what is in `state` there is the service's state.
            files: the content of each file in the machine's folder.
            settings: what is in the file of settings.
        """
        state, given, trace = (folder / name for name in ("state", "credentials", "trace"))
        state.mkdir(mode=0o700, exist_ok=True)
        given.mkdir(mode=0o700)
        for name, file in self.credentials.items():
            (given / name).write_text(files[file.name])
            (given / name).chmod(0o400)
        replaced = {"%d": str(given), f"/var/lib/{self.name}": str(state)}
        environment = {name: _replaced(value, replaced) for name, value in self.environment.items()}
        (line,) = self.values("ExecStart")
        command = _replaced(
            line, {f"/opt/{self.name}/bin": str(BIN), "${CREDENTIALS_DIRECTORY}": str(given)}
        )
        # as a grandchild (-D): signals go to the service itself
        tracer = ("strace", "-D", "-f", "-qq", "-s", "0", "-o", trace)
        with running(*tracer, *command.split(), env={**environment, **settings}) as server:
            yield server, trace


def traced(trace: Path) -> list[Call]:
    """Read the system calls of a trace; of one that was interrupted, its beginning."""
    lines = (_CALL.match(line) for line in trace.read_text().splitlines())
    return [Call(found[1], found[2]) for found in lines if found]


def _calls_of(group: str) -> Iterator[str]:
    """Yield the system calls of a group of systemd's, those of groups within it too."""
    if not group.startswith("@"):
        yield group
        return
    command = ["systemd-analyze", "--no-pager", "syscall-filter", group]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for line in text.splitlines()[1:]:
        if name := line.partition("#")[0].strip():
            yield from _calls_of(name)


def _replaced(text: str, parts: Mapping[str, str]) -> str:
    for part, instead in parts.items():
        text = text.replace(part, instead)
    return text
