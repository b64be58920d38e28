"""How long a process lives that starts, asks its cached license, and ends."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from license_client.testing.clock import FixedClock
from license_client.testing.simulator import PRODUCT, Simulator
from support.client_machine import machine_of

ROUNDS: Final = 30
AT_MOST_MS: Final = 50
_ASK: Final = f"""
import sys
from license_client import LicenseClient
status = LicenseClient.from_env(product={PRODUCT!r}).status()
assert status.usable
assert "httpx" not in sys.modules
"""


def measure(folder: Path) -> str:
    """Start many such processes, and as many that do nothing, and say what they took."""
    environment = _activated(folder)
    asking = ("-c", _ASK)
    nothing = ("-c", "pass")
    _seconds(asking, environment)  # writes the bytecode
    pairs = [(_seconds(asking, environment), _seconds(nothing, environment)) for _ in range(ROUNDS)]
    took = [seconds * 1e3 for seconds, _ in pairs]
    bare = statistics.median(seconds for _, seconds in pairs) * 1e3
    return (
        f"client start from cache, whole process: median {statistics.median(took):.0f} ms, "
        f"spread {min(took):.0f}-{max(took):.0f} ms, aim <= {AT_MOST_MS} ms "
        f"(of which a bare Python {bare:.0f} ms); httpx not imported"
    )


def _activated(folder: Path) -> dict[str, str]:
    simulator = Simulator(FixedClock(int(time.time())))
    license_ = simulator.sell()
    machine = machine_of(license_, simulator, folder / "license-data")
    machine.start().activate()
    trust = folder / "trust.json"
    trust.write_bytes(simulator.vendor.trust)
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {
        **inherited,  # without it every start would compile our modules anew
        "LICENSE_KEY": license_.key,
        "LICENSE_EMAIL": license_.email,
        "LICENSE_ENCRYPTION_KEY": str(machine.options["encryption_key"]),
        "LICENSE_CACHE_DIR": str(machine.folder),
        "LICENSE_TRUST_FILE": str(trust),
    }


def _seconds(arguments: Sequence[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], env=environment, check=True)
    return time.perf_counter() - started
