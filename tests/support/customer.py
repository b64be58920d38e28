"""A customer's machine, as people have one: an environment, commands, and the data API."""

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from support.servers import BIN, RunningServer, running
from support.vendor import PRODUCT, Sold

USER = "operator"
PASSWORD = secrets.token_urlsafe(24)
START_WAIT_SECONDS = "3"
_PROGRAM = Path(__file__).with_name("customer_program.py")


@dataclass(frozen=True)
class Customer:
    """One machine with one license.

    Attributes:
        folder: where the cache is.
        server_url: of the license server.
        ca: the authority that its TLS trusts.
        trust: file of the key set that the software ships.
        sold: key and email that it is configured with.
        database_url: of its own PostgreSQL.
        encryption_key: of its cache.
        extra: what else its programs find in their environment.
    """

    folder: Path
    server_url: str
    ca: Path
    trust: Path
    sold: Sold
    database_url: str = ""
    encryption_key: str = "0123456789abcdef" * 4
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def cache(self) -> Path:
        """The file of the license cache."""
        return self.folder / "license.json"

    @property
    def environment(self) -> dict[str, str]:
        """What its programs are started with."""
        return {
            "LICENSE_SERVER_URL": self.server_url,
            "LICENSE_KEY": self.sold.key,
            "LICENSE_EMAIL": self.sold.email,
            "LICENSE_ENCRYPTION_KEY": self.encryption_key,
            "LICENSE_CACHE_DIR": str(self.folder),
            "LICENSE_CA_FILE": str(self.ca),
            "LICENSE_TRUST_FILE": str(self.trust),
            "LICENSE_PRODUCT": PRODUCT,
            "LICENSE_START_WAIT": START_WAIT_SECONDS,
            "APP_ENV": "development",  # the run's own PostgreSQL has one login, a superuser
            "DATABASE_URL": self.database_url,
            "AUTH_USER": USER,
            "AUTH_PASS": PASSWORD,
            "HOST": "127.0.0.1",
            "PORT": "0",
            **self.extra,
        }

    def on_another_machine(self, folder: Path, sold: Sold | None = None) -> "Customer":
        """Copy the cache, with the key that opens it, to a machine of `sold`, else our own."""
        shutil.copytree(self.folder, folder)
        return replace(self, folder=folder, sold=sold or self.sold)

    def run(self, *line: str, under: Sequence[str] = ()) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end, `under` another program if one is given."""
        return subprocess.run(
            [*under, str(BIN / line[0]), *line[1:]],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )

    def activate(self) -> None:
        """Activate the license by the command that users know."""
        done = self.run("activate-license", "-k", self.sold.key, "-e", self.sold.email)
        assert done.returncode == 0, done.stderr

    def status(self) -> dict[str, Any]:
        """Return what `license-client status` says."""
        return dict(json.loads(self.run("license-client", "status", "--json").stdout))

    @contextmanager
    def serving(self) -> Iterator[RunningServer]:
        """Run the data API."""
        with running(BIN / "db-api", "serve", env=self.environment) as server:
            yield server

    @contextmanager
    def program(self) -> Iterator["Program"]:
        """Run a program that holds one client for long."""
        command = [sys.executable, str(_PROGRAM)]
        env = {**os.environ, **self.environment}
        pipe = subprocess.PIPE
        with subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, text=True) as process:
            yield Program(process)

    def create_key(self, api: RunningServer, schema: str, key_type: str) -> str:
        """Create an API key over HTTP, as an administrator."""
        answer = httpx.post(
            f"{api.url}/api/project/{schema}/keys",
            json={"keyName": f"{schema}-{key_type}", "keyType": key_type},
            auth=(USER, PASSWORD),
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["key"])


class Program:
    """A running program of a customer, see `customer_program`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self, method: str, *arguments: str) -> dict[str, Any]:
        """Call a method of its client and return what came of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(" ".join((method, *arguments)) + "\n")
        self._process.stdin.flush()
        return dict(json.loads(self._process.stdout.readline()))
