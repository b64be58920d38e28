"""`make fuzz`: let a fuzzer that sees coverage look for bytes that the client's parsers choke on.

    python -m fuzz.client           # every parser, for FUZZ_SECONDS in all (600 unless set)
    python -m fuzz.client email     # one of them, until it is stopped

Prints what was run of each; ends with 1 if one let out an error that is not the package's own. What
a run finds worth keeping stays in `.cache/fuzz` for the next one, and a finding beside it: put it
into `corpus/` when it is mended, where the unit tests go through it again.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

TESTS: Final = Path(__file__).parents[1]
CORPUS: Final = Path(__file__).parent / "corpus"
SCRATCH: Final = TESTS.parent / ".cache" / "fuzz"
WORKERS: Final = 2
# Of libFuzzer: bytes of an input, seconds for one of them, and what to say at the end.
OPTIONS: Final = ("-max_len=8192", "-timeout=20", "-print_final_stats=1")
LINES_OF_A_FINDING: Final = 12


class Figures(NamedTuple):
    """What a run of one parser came to; `finding` is what was printed, or empty."""

    name: str
    executions: int
    coverage: int
    finding: str

    def __str__(self) -> str:
        found = f"FOUND\n{self.finding}" if self.finding else "nothing found"
        return f"{self.name:<22}{self.executions:>10} runs {self.coverage:>6} edges  {found}"


def main() -> int:
    """Run the command."""
    if sys.argv[1:]:
        fuzz(sys.argv[1], sys.argv[2:])
    names = sorted(folder.name for folder in CORPUS.iterdir())
    seconds = int(os.environ.get("FUZZ_SECONDS", "600")) * WORKERS // len(names)
    has_finding = False
    with ThreadPoolExecutor(WORKERS) as pool:
        for figures in pool.map(lambda name: run(name, max(1, seconds)), names):
            sys.stdout.write(f"{figures}\n")
            sys.stdout.flush()
            has_finding = has_finding or bool(figures.finding)
    return 1 if has_finding else 0


def run(name: str, seconds: int) -> Figures:
    """Fuzz one parser in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "fuzz.client", name, f"-max_total_time={seconds}"],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        check=False,
    )
    told, finding = done.stderr.decode(errors="replace"), done.stdout.decode(errors="replace")
    return Figures(
        name,
        max(numbers(r"number_of_executed_units: (\d+)", told), default=0),
        max(numbers(r" cov: (\d+) ", told), default=0),
        "\n".join((finding, *told.splitlines()[-LINES_OF_A_FINDING:])) if done.returncode else "",
    )


def numbers(pattern: str, text: str) -> Iterator[int]:
    """Find numbers in what a fuzzer said."""
    return map(int, re.findall(pattern, text))


def fuzz(name: str, options: list[str]) -> None:
    """Fuzz one parser in this process, which ends with it."""
    import atheris  # noqa: PLC0415 - it has no wheel for every machine that runs the tests

    with atheris.instrument_imports(include=["license_client", "idna"]):
        from fuzz.client_parsers import parse  # noqa: PLC0415 - it is instrumented while it loads
    grown = SCRATCH / name
    grown.mkdir(parents=True, exist_ok=True)
    folders = (str(grown), str(CORPUS / name))
    artifacts = f"-artifact_prefix={SCRATCH / name}-"
    atheris.Setup(
        [sys.argv[0], artifacts, *OPTIONS, *options, *folders], lambda data: parse(name, data)
    )
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
