"""The commands of the license server's KEYS.md, typed as they are written there.

A change of the manual that no longer works, or of the program that no longer does what the manual
says, fails whoever follows it here.
"""

import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from support.servers import BIN
from support.vendor import Vendor

KEYS_MANUAL: Final = Path(__file__).parents[2] / "license_server" / "KEYS.md"
_PROMPT: Final = "$ license-server "
_DRAFT: Final = "keyset-draft.json"


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the manual.

    Attributes:
        words: behind the program's name.
        note: the comment behind it: where it is typed, and what follows.
    """

    words: tuple[str, ...]
    note: str


def steps_of(heading: str) -> tuple[Step, ...]:
    """Return the commands under a heading of the manual, in their order."""
    text = KEYS_MANUAL.read_text(encoding="utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.removeprefix(_PROMPT) for line in section.splitlines() if _PROMPT in line]
    return tuple(Step(tuple(shlex.split(line, comments=True)), _note(line)) for line in lines)


class Follower:
    """Somebody who types what the manual says, beside the folder `vendor` and with `root.key`.

    Args:
        vendor: whose keys they are; its root key is taken out of its folder.
        restart: does what is meant by "restart it".
    """

    def __init__(self, vendor: Vendor, restart: Callable[[], object]) -> None:
        self._vendor = vendor
        self._restart = restart
        self._desk = vendor.folder.parent
        shutil.move(vendor.folder / "root.key", self._desk / "root.key")

    def follow(self, heading: str, known: Mapping[str, str] | None = None) -> list[str]:
        """Type the commands under a heading; return what each printed.

        Args:
            heading: of a section.
            known: what stands for the words in capitals; KID becomes what `keys new` prints.
        """
        names, printed = dict(known or {}), []
        steps = steps_of(heading)
        assert steps, f"the manual has no commands under {heading!r}"
        for step in steps:
            words = [names.get(word, word) for word in step.words]
            printed.append(self._type(words, step.note))
            if words[-2:] == ["keys", "new"]:
                names["KID"] = printed[-1]
        return printed

    def _type(self, words: list[str], note: str) -> str:
        if "offline" in note and (draft := self._vendor.folder / _DRAFT).exists():
            shutil.copy(draft, self._desk / _DRAFT)  # by hand, to where the root key is
        done = subprocess.run(
            [BIN / "license-server", *words],
            cwd=self._desk,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stderr}"
        if "restart it" in note:
            self._restart()
        return done.stdout.strip()


def _note(line: str) -> str:
    return line.partition(" # ")[2].strip()
