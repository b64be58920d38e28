"""The runbooks of `deploy/SECURITY.md`, typed into a shell as they are written there."""

import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from support.known_names import DEPLOY
from support.postgres import client_programs
from support.servers import BIN

GUIDE: Final = DEPLOY / "SECURITY.md"
_PROMPT: Final = "$ "
_BLOCK: Final = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a runbook.

    Attributes:
        line: as a shell reads it.
        note: the comment behind it.
    """

    line: str
    note: str


def blocks_of(heading: str) -> list[tuple[Step, ...]]:
    """Return the commands under a heading of the guide, block by block."""
    text = GUIDE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2]
    blocks = _BLOCK.findall(text.partition("\n## ")[0])
    assert blocks, f"the guide has no commands under {heading!r}"
    return [tuple(map(_step, block.splitlines())) for block in blocks]


@dataclass
class Desk:
    """Somebody who types runbooks.

    Attributes:
        folder: where they sit.
        environment: what their commands find.
        restart: does what is meant by "restart it".
    """

    folder: Path
    environment: Mapping[str, str]
    restart: Callable[[], object] = lambda: None

    def follow(
        self, heading: str, block: int = 0, known: Mapping[str, str] | None = None, stdin: str = ""
    ) -> list[str]:
        """Type the commands of a block under a heading; return what each printed.

        Args:
            heading: of a runbook.
            block: which of its blocks, from 0.
            known: what stands for the words in capitals.
            stdin: what is typed where a command asks.
        """
        printed = []
        for step in blocks_of(heading)[block]:
            line = step.line
            for word, value in (known or {}).items():
                line = value.join(re.split(rf"\b{re.escape(word)}\b", line))
            printed.append(self._type(line, stdin))
            if "restart it" in step.note:
                self.restart()
        return printed

    def _type(self, line: str, stdin: str) -> str:
        path = os.pathsep.join(map(str, (BIN, client_programs(), "/usr/bin", "/bin")))
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line],
            cwd=self.folder,
            env={**self.environment, "PATH": path, "PSQLRC": os.devnull},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,  # no terminal: who asks for a password reads standard input
        )
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
        return done.stdout.strip()


def _step(line: str) -> Step:
    assert line.startswith(_PROMPT), f"no command: {line!r}"
    command, _, note = line.removeprefix(_PROMPT).partition(" # ")
    return Step(command.strip(), note.strip())
