"""`make bench`: what a request costs, how fast the client starts, how the attacks end.

Each figure is a ratio to a bare uvicorn hello in the same run, with its spread and the load of
the machine; none of them is a gate.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import urlopen

from bench import client_start, cpu, data_api, enumeration, license_server, security
from bench.load import request
from support.postgres import SharedPostgres

TESTS = Path(__file__).parents[1]
HELLO_PORT = 9870


def main() -> None:
    """Measure everything and print it as it comes."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        _say(f"before: {cpu.load_average()}")
        _measure_requests(folder)
        _say(client_start.measure(_subfolder(folder, "client")))
        _say(security.mutate_decisions(_subfolder(folder, "mutations")))
        _say(security.kill_cache_writers(_subfolder(folder, "kills")))
        _say(f"after: {cpu.load_average()}")


def _measure_requests(folder: Path) -> None:
    """Measure the CPU of the server processes a request; B = a bare uvicorn hello."""
    postgres = SharedPostgres(_subfolder(folder, "postgres"))
    with ExitStack() as stack:
        stack.callback(postgres.close)
        targets = [
            stack.enter_context(target)
            for target in (
                license_server.validating(
                    "signed validate, SQLite", folder / "sqlite", license_server.SQLITE_AT_MOST
                ),
                license_server.validating(
                    "signed validate, PostgreSQL",
                    folder / "vendor-on-postgres",
                    license_server.POSTGRES_AT_MOST,
                    postgres.create("licenses"),
                ),
            )
        ]
        targets += stack.enter_context(
            data_api.reading(folder / "data-api", postgres.create("shop"))
        )
        yardstick = stack.enter_context(_hello())
        for figure in cpu.measure(yardstick, targets):
            _say(str(figure))
        for line in enumeration.measure(
            _subfolder(folder, "enumeration"), postgres.create("enumeration")
        ):
            _say(line)


@contextmanager
def _hello() -> Iterator[cpu.Target]:
    """Run the yardstick."""
    options = ("--port", str(HELLO_PORT), "--no-access-log", "--log-level", "error")
    loop = ("--loop", "uvloop", "--http", "httptools", "--app-dir", str(TESTS))
    command = [sys.executable, "-m", "uvicorn", "bench.hello:app", *options, *loop]
    with subprocess.Popen(command) as process:
        try:
            _wait_for(f"http://127.0.0.1:{HELLO_PORT}/")
            hello = [request("GET", "/")]
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
