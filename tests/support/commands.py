"""Our commands as a user runs them: real processes with an environment of their own."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

BIN = Path(sys.executable).parent


def run_command(
    *line: str, env: Mapping[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run an installed command to its end, in an environment that holds `env` alone."""
    return subprocess.run(
        [str(BIN / line[0]), *line[1:]],
        env={"PATH": str(BIN), **(env or {})},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
