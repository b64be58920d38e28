"""The promises about attacks and faults, at the size that is too long for the tests."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from license_client import DecisionRejectedError
from license_client._credentials import Credentials, read_email, read_key
from license_client._settings import build_settings
from license_client._verify import verify_decision
from license_client.testing.clock import FixedClock
from license_client.testing.simulator import Request, Simulator
from support.client_machine import machine_of
from support.client_mutations import mutated

MUTATIONS: Final = 100_000
KILLS: Final = 1_000


def mutate_decisions(folder: Path) -> str:
    """Offer tampered decisions to the verifier and count those that it takes."""
    simulator = Simulator(FixedClock(int(time.time())))
    license_ = simulator.sell()
    machine = machine_of(license_, simulator, folder)
    machine.start().activate()
    request = Request("validate", simulator.requests[0].body)
    genuine = simulator.vendor.sign(simulator.decide(request))
    settings = build_settings(machine.options)
    credentials = Credentials(read_key(license_.key), read_email(license_.email))
    accepted = 0
    for token in mutated(genuine, simulator.vendor, MUTATIONS):
        try:
            verify_decision(
                token,
                key_set=settings.anchor.current,
                product=settings.product,
                credentials=credentials,
            )
        except DecisionRejectedError:
            continue
        accepted += 1
    return f"mutated decisions: {accepted} of {MUTATIONS:,} accepted"


def kill_cache_writers(folder: Path) -> str:
    """Kill processes while they write the cache and count the caches that cannot be read."""
    done = subprocess.run(
        [sys.executable, "-m", "support.client_killer", str(folder), str(KILLS)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        stdout=subprocess.PIPE,
        check=True,
    )
    told = json.loads(done.stdout)
    return (
        f"kill -9 during cache writes: {told['unreadable']} of {KILLS:,} caches unreadable, "
        f"{told['backward']} went back, {told['written']:,} writes"
    )
