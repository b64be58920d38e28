"""Programs that run in front of a fault, from outside: see `support.faulted_program`."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]


class Program:
    """A program that runs.

    Attributes:
        start: what it said when it had its license.
    """

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.start = self.hear()

    def tell(self, *words: str) -> dict[str, Any]:
        """Have it do something, and return what it says then."""
        self.say(*words)
        return self.hear()

    def say(self, *words: str) -> None:
        """Have it do something."""
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """Return the next that it says."""
        assert self.process.stdout is not None
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@contextmanager
def program(
    environ: Mapping[str, str], call_seconds: float, under: Sequence[str] = ()
) -> Iterator[Program]:
    """Run a program, `under` another one if one is given; it has to end well."""
    command = [*under, sys.executable, "-m", "support.faulted_program", str(call_seconds)]
    with subprocess.Popen(
        command,
        env={**environ, "PYTHONPATH": str(TESTS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Program(process)
    assert process.returncode == 0
