"""The client's commands as a customer runs them: real processes, output and exit status."""

import os
import subprocess
import sys
from pathlib import Path

from license_client.testing.simulator import License
from support.client_machine import Machine

BIN = Path(sys.executable).parent


def environment_of(machine: Machine) -> dict[str, str]:
    """Settings of a machine, without server, key and email."""
    trust = machine.folder.parent / "trust.json"
    trust.write_bytes(machine.simulator.vendor.trust)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LICENSE_")}
    return {
        **kept,
        "LICENSE_PRODUCT": "demo-product",
        "LICENSE_TRUST_FILE": str(trust),
        "LICENSE_CACHE_DIR": str(machine.folder),
        "LICENSE_ENCRYPTION_KEY": str(machine.options["encryption_key"]),
    }


def configured(environ: dict[str, str], license_: License, url: str) -> dict[str, str]:
    return {
        **environ,
        "LICENSE_SERVER_URL": url,
        "LICENSE_KEY": license_.key,
        "LICENSE_EMAIL": license_.email,
    }


def run(environ: dict[str, str], *line: str) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [str(BIN / line[0]), *line[1:]], env=environ, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    return done
