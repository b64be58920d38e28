"""A vendor, as people are one: the commands of the license server, and its process over TLS."""

import copy
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from support.servers import BIN, RunningServer, running
from support.tls import TlsFiles, issue_certificate

PRODUCT = "db-api"


@dataclass(frozen=True, slots=True)
class Sold:
    """A license that the vendor has issued."""

    license_id: str
    key: str
    email: str


@dataclass
class Vendor:
    """The folder that `license-server init` made, and what is done with it.

    Attributes:
        folder: of the keys, settings and database.
        tls: the certificate that it serves with; None = plain HTTP.
        settings: variables that all its commands find.
    """

    folder: Path
    tls: TlsFiles | None
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.command("init", str(self.folder))

    def create_product(self, *options: str, code: str = PRODUCT) -> None:
        """Create a product with the policy of `options`."""
        self.command("product", "create", code, "--name", code, *options)

    def sell(self, email: str, *options: str, product: str = PRODUCT) -> Sold:
        """Issue a license."""
        line = ("license", "issue", "--product", product, "--email", email, *options, "--json")
        issued = json.loads(self.command(*line))
        return Sold(issued["id"], issued["key"], email)

    def import_licenses(self, count: int) -> Path:
        """Issue many licenses by a file and return the file of their keys, NDJSON."""
        return self.import_buyers({"email": f"imported{n}@example.com"} for n in range(count))

    def import_buyers(self, buyers: Iterable[Mapping[str, object]]) -> Path:
        """Issue a license to each by a file and return the file of their keys, NDJSON.

        Args:
            buyers: the members of an order, but its product.
        """
        file, keys = (self.folder.with_name(f"{self.folder.name}-{n}") for n in ("buyers", "keys"))
        with file.open("w", encoding="ascii") as lines:
            for buyer in buyers:
                lines.write(f"{json.dumps({'product': PRODUCT, **buyer})}\n")
        self.command("license", "import", str(file), "-o", str(keys))
        return keys

    def export(self) -> list[dict[str, Any]]:
        """Return all licenses, as `license export` writes them."""
        return [json.loads(line) for line in self.command("license", "export").splitlines()]

    def withdraw(self, command: str, sold: Sold) -> None:
        """Revoke or suspend a license, or reinstate it."""
        self.command("license", command, sold.license_id)

    def issue_file(self, sold: Sold, *options: str) -> str:
        """Issue a license file by `options`; its text."""
        return self.command("license", "file", *options, stdin=f"{sold.key}\n")

    def create_token(self, role: str = "owner") -> Mapping[str, str]:
        """Create an admin token; return its members `id` and `token`, among others."""
        line = ("token", "create", "--name", "test", "--role", role, "--json")
        made: Mapping[str, str] = json.loads(self.command(*line))
        return made

    @cached_property
    def trust(self) -> Path:
        """The file that applications ship."""
        file = self.folder.with_name(f"{self.folder.name}-trust.json")
        self.command("keyset", "export-trust", "-o", str(file))
        return file

    @property
    def environment(self) -> dict[str, str]:
        """What its commands find."""
        return {**os.environ, **self.settings}

    @property
    def ca(self) -> Path:
        """The authority that vouches for its certificate."""
        if self.tls is None:
            raise ValueError("this vendor serves plain HTTP")
        return self.tls.ca

    @contextmanager
    def serving(self, port: int = 0, **settings: str) -> Iterator[RunningServer]:
        """Run the license server over HTTPS on `port`, 0 for any free one."""
        tls = self.tls
        files = {"TLS_CERT_FILE": str(tls.cert), "TLS_KEY_FILE": str(tls.key)} if tls else {}
        env = {**self.settings, **files, "HOST": "127.0.0.1", "PORT": str(port), **settings}
        command = (BIN / "license-server", "--dir", self.folder, "serve")
        with running(*command, env=env) as server:
            yield server

    def copied_to(self, folder: Path) -> "Vendor":
        """Copy the folder, as for a second server, or as a thief does."""
        shutil.copytree(self.folder, folder)
        other = copy.copy(self)
        other.folder = folder
        return other

    def command(self, *line: str, stdin: str = "") -> str:
        """Run one of its commands and return its stdout."""
        command = [str(BIN / "license-server"), "--dir", str(self.folder), *line]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, env=self.environment, input=stdin
        ).stdout


class Service:
    """A vendor's server that can be started again where it was.

    Attributes:
        server: the process that runs now.
    """

    server: RunningServer

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._running = ExitStack()

    def __enter__(self) -> Self:
        """Start it on a free port."""
        self._start(0)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self._running.close()

    def restart(self) -> None:
        """Stop it and start it on the same port."""
        self._running.close()
        self._start(self.server.port)

    def _start(self, port: int) -> None:
        self.server = self._running.enter_context(self._vendor.serving(port))


def found_vendor(folder: Path, **settings: str) -> Vendor:
    """Make a vendor in a new folder, with a certificate for loopback."""
    folder.mkdir()
    return Vendor(folder / "vendor", issue_certificate(folder), settings)
