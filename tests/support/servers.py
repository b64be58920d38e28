"""Real server processes: started on a free port, waited for, read, ended.

Our servers log JSON lines on stderr and say `server.listening` with their address when they
answer. Only processes that were started here are ever ended here.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

BIN = Path(sys.executable).parent
START_SECONDS = 60
STOP_SECONDS = 30


class RunningServer:
    """A server process of this test.

    Attributes:
        url: where it answers, once it is up.
    """

    def __init__(self, command: Sequence[str | Path], env: Mapping[str, str]) -> None:
        self.url = ""
        self._lines: list[str] = []
        self._events: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._ended = False
        self._process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PORT": "0", "ADMIN_PORT": "0", **env},
        )
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()

    @property
    def port(self) -> int:
        """The port where it listens."""
        return urlsplit(self.url).port or 0

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def log(self) -> str:
        """All that it has written on stderr."""
        with self._changed:
            return "".join(self._lines)

    def events(self, name: str, **members: object) -> list[dict[str, Any]]:
        """Return the logged events of that name and with those members, oldest first."""
        with self._changed:
            return self._matching(name, members)

    def wait_for_event(self, name: str, **members: object) -> dict[str, Any]:
        """Wait until such an event is logged, and return the first one."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._ended or self._matching(name, members), START_SECONDS
            )
            found = self._matching(name, members)
        if not found:
            raise AssertionError(f"the server logged no {name} {members}:\n{self.log}")
        return found[0]

    def wait_until_up(self) -> None:
        """Wait until it answers.

        Raises:
            AssertionError: it ended, or took too long; the text is its log.
        """
        self.url = self.wait_for_event("server.listening")["url"]

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self._process.poll() is None:
            self._process.send_signal(number)

    def wait(self) -> int:
        """Wait for its end and return its exit status."""
        status = self._process.wait(STOP_SECONDS)
        self._reader.join(STOP_SECONDS)
        return status

    def stop(self) -> int:
        """Ask it to stop and return its exit status; what does not stop is killed."""
        self.send(signal.SIGTERM)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self._process.kill()
            self.wait()
            raise

    def close(self) -> None:
        """Stop it, whatever it is doing."""
        self.stop()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def _collect(self) -> None:
        for line in self._process.stderr or ():
            with self._changed:
                self._lines.append(line)
                self._events.append(_parse(line))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _matching(self, name: str, members: Mapping[str, object]) -> list[dict[str, Any]]:
        wanted = {"event": name, **members}.items()
        return [event for event in self._events if wanted <= event.items()]


@contextmanager
def running(*command: str | Path, env: Mapping[str, str] | None = None) -> Iterator[RunningServer]:
    """Start a server and wait until it answers; end it afterwards."""
    server = RunningServer(command, env or {})
    try:
        server.wait_until_up()
        yield server
    finally:
        server.close()


def _parse(line: str) -> dict[str, Any]:
    try:
        return dict(json.loads(line))
    except ValueError:
        return {}
