"""What the license gate and the metrics cost a request of the data API."""

import asyncio
import statistics
import time
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db_api.gatekeeper import LicensedApp
from db_api.metrics import MeasuredApp, Metrics, PoolLevel
from support.licensed import LicensedMachine, simulator_of_today

ROUNDS: Final = 15
CALLS: Final = 20_000
AT_MOST_US: Final = 5
_SCOPE: Final = {"type": "http", "method": "GET", "path": "/rest/v1/books", "headers": []}


def measure(folder: Path) -> str:
    """Call an application with and without them, in turns, and say what they add."""
    machine = LicensedMachine(folder, simulator_of_today())
    machine.learn()
    gate = machine.new_gate()
    metrics = Metrics(gate, lambda: PoolLevel(10, 0, 0))
    guarded = MeasuredApp(LicensedApp(_nothing, gate), metrics, {_nothing: "/rest/v1/{table}"})

    async def run() -> list[float]:
        await gate.open()
        return [await _cost(guarded) - await _cost(_nothing) for _ in range(ROUNDS)]

    added = [seconds * 1e6 for seconds in asyncio.run(run())]
    return (
        f"license gate and metrics: {statistics.median(added):.1f} us a request, spread"
        f" {min(added):.1f}-{max(added):.1f}   aim <= {AT_MOST_US}"
    )


async def _nothing(scope: Scope, _receive: Receive, send: Send) -> None:
    scope["endpoint"] = _nothing
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _cost(app: ASGIApp) -> float:
    started_at = time.perf_counter()
    for _ in range(CALLS):
        await app(dict(_SCOPE), _receive, _send)
    return (time.perf_counter() - started_at) / CALLS


async def _receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(_message: Message) -> None:
    pass
