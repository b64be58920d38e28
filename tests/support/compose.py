"""The Compose files of `deploy/`, brought up under a name and on ports of the tests' own."""

import json
import os
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import httpx

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
SECRETS: Final = DEPLOY / "secrets"
PATIENCE_SECONDS: Final = 60


class Stack:
    """One project of Compose.

    Args:
        name: of the project.
        file: of `deploy/`.
        settings: environment variables of Compose.
    """

    def __init__(self, name: str, file: str = "compose.yaml", **settings: str) -> None:
        self.name = name
        self._file = DEPLOY / file
        self._settings = settings

    def compose(
        self, *arguments: str, check: bool = True, stdin: bytes = b"", **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `docker compose` with arguments."""
        done = subprocess.run(
            ["docker", "compose", "-p", self.name, "-f", str(self._file), *arguments],
            env={**os.environ, **self._settings, **settings},
            input=stdin,
            capture_output=True,
            check=False,
            timeout=300,
        )
        told = subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )
        assert not check or told.returncode == 0, told.stderr + told.stdout
        return told

    def execute(self, service: str, *command: str, stdin: bytes = b"") -> str:
        """Run a command in the container of a service, and return what it prints."""
        return self.compose("exec", "-T", service, *command, stdin=stdin).stdout

    def python(self, service: str, code: str, *arguments: str) -> str:
        """Run Python in the container of a service."""
        return self.execute(service, "python3", "-c", code, *arguments).strip()

    def container(self, service: str) -> str:
        """Return the id of a service's container."""
        return self.compose("ps", "-aq", service).stdout.strip()

    def inspect(self, service: str) -> dict[str, Any]:
        """Return what Docker knows of a service's container."""
        found: dict[str, Any] = json.loads(docker("inspect", self.container(service)))[0]
        return found

    @contextmanager
    def up(self) -> Iterator["Stack"]:
        """Bring everything up, and take it down again with its volumes."""
        try:
            self.compose("up", "--wait")
            yield self
        finally:
            self.compose("down", "--volumes", "--timeout", "5")


class DataApi:
    """The data API of a stack, over HTTPS that is verified."""

    def __init__(self, port: int) -> None:
        self.url = f"https://localhost:{port}"
        self.tls = ssl.create_default_context(cafile=SECRETS / "ca.pem")
        self.client = httpx.Client(base_url=self.url, verify=self.tls, timeout=30)
        self.auth = ("operator", (SECRETS / "auth-pass").read_text())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def status(self, path: str, headers: dict[str, str]) -> int:
        """Ask for something; 0 = no answer."""
        try:
            return self.client.get(path, headers=headers).status_code
        except httpx.TransportError:
            return 0

    def until(self, path: str, headers: dict[str, str], status: int = 200) -> None:
        """Wait until something is answered with a status, by whichever server is asked."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := {self.status(path, headers) for _ in range(6)}) != {status}:
            assert time.monotonic() < deadline, f"{path}: {found}"
            time.sleep(0.5)


def docker(*arguments: str) -> str:
    """Run `docker`, and return what it prints."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
