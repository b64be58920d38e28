"""`make bench`: what a request costs, how the client starts, what faults and attacks cost.

Each figure is a ratio to a bare uvicorn hello in the same run, or says its unit; with its spread
and the load of the machine. None of them is a gate. `make bench BENCH="requests audit"` measures
these sections alone.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from bench import (
    audit_log,
    client_faults,
    client_start,
    console,
    cpu,
    data_api,
    data_streams,
    enumeration,
    gate,
    license_server,
    paint,
    scale,
    security,
    soak,
)
from bench.load import request
from support.postgres import SharedPostgres

TESTS = Path(__file__).parents[1]
HELLO_PORT = 9870
MEMORY_AT_MOST_MB = 90


def main() -> None:
    """Measure the named sections, or all, and print each figure as it comes."""
    names = sys.argv[1:] or list(SECTIONS)
    if unknown := set(names) - SECTIONS.keys():
        sys.exit(f"no such section: {' '.join(unknown)}; there are {' '.join(SECTIONS)}")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for name in names:
            _say(f"{name}: {cpu.load_average()}")
            SECTIONS[name](_subfolder(Path(folder), name))
        _say(f"end: {cpu.load_average()}")


def _measure_requests(folder: Path) -> None:
    """Measure the CPU of the server processes a request; B = a bare uvicorn hello."""
    with ExitStack() as stack:
        postgres = stack.enter_context(_postgres(folder))
        targets = [
            target
            for opened in (
                license_server.serving("SQLite", folder / "sqlite"),
                license_server.serving(
                    "PostgreSQL", folder / "vendor", postgres.create("licenses")
                ),
                data_api.serving(folder / "data-api", postgres.create("shop")),
            )
            for target in stack.enter_context(opened)
        ]
        yardstick = stack.enter_context(_hello())
        for figure in cpu.measure(yardstick, targets):
            _say(str(figure))
        memory = {target.pid: target.name.rpartition(", ")[2] for target in targets[:6]}
        for pid, database in memory.items():
            _say(_memory(f"license server, {database}", pid, MEMORY_AT_MOST_MB))
        _say(_memory("data API", targets[-1].pid, data_api.MEMORY_AT_MOST_MB))


def _memory(name: str, pid: int, at_most: int) -> str:
    return f"memory after this, {name}: {cpu.resident_megabytes(pid):.0f} MB   aim <= {at_most}"


def _measure_streams(folder: Path) -> None:
    with _postgres(folder) as postgres:
        data_streams.measure(_subfolder(folder, "streams"), postgres, _say)


def _measure_soak(folder: Path) -> None:
    with _postgres(folder) as postgres:
        _say(soak.measure(folder / "served", postgres.create("soak")))


def _measure_gate(folder: Path) -> None:
    _say(gate.measure(folder / "gate"))


def _measure_scale(folder: Path) -> None:
    with _postgres(folder) as postgres, _hello() as yardstick:
        scale.measure(folder, postgres, yardstick, _say)


def _measure_console(folder: Path) -> None:
    with _postgres(folder) as postgres:
        for line in console.measure(folder / "served", postgres.create("console")):
            _say(line)


def _measure_paint(folder: Path) -> None:
    for line in paint.measure(folder / "served"):
        _say(line)


def _measure_audit(folder: Path) -> None:
    with _postgres(folder) as postgres:
        for line in audit_log.measure(folder, postgres):
            _say(line)


def _measure_enumeration(folder: Path) -> None:
    with _postgres(folder) as postgres:
        served = _subfolder(folder, "enumeration")
        for line in enumeration.measure(served, postgres.create("enumeration")):
            _say(line)


def _measure_client(folder: Path) -> None:
    _say(client_start.measure(folder))


def _measure_faults(folder: Path) -> None:
    for line in client_faults.measure(folder):
        _say(line)


def _measure_security(folder: Path) -> None:
    _say(security.mutate_decisions(_subfolder(folder, "mutations")))
    _say(security.kill_cache_writers(_subfolder(folder, "kills")))


SECTIONS: Final[Mapping[str, Callable[[Path], None]]] = {
    "requests": _measure_requests,
    "streams": _measure_streams,
    "soak": _measure_soak,
    "gate": _measure_gate,
    "scale": _measure_scale,
    "console": _measure_console,
    "paint": _measure_paint,
    "audit": _measure_audit,
    "enumeration": _measure_enumeration,
    "client": _measure_client,
    "faults": _measure_faults,
    "security": _measure_security,
}


@contextmanager
def _postgres(folder: Path) -> Iterator[SharedPostgres]:
    postgres = SharedPostgres(_subfolder(folder, "postgres"))
    try:
        yield postgres
    finally:
        postgres.close()


@contextmanager
def _hello() -> Iterator[cpu.Target]:
    """Run the yardstick."""
    options = ("--port", str(HELLO_PORT), "--no-access-log", "--log-level", "error")
    loop = ("--loop", "uvloop", "--http", "httptools", "--app-dir", str(TESTS))
    command = [sys.executable, "-m", "uvicorn", "bench.hello:app", *options, *loop]
    with subprocess.Popen(command) as process:
        try:
            _wait_for(f"http://127.0.0.1:{HELLO_PORT}/")
            hello = cycle([request("GET", "/")])
            yield cpu.Target("bare uvicorn hello (B)", process.pid, HELLO_PORT, hello)
        finally:
            process.terminate()


def _wait_for(url: str) -> None:
    for _ in range(100):
        try:
            urlopen(url, timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{url} does not answer")


def _subfolder(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
