"""`make fuzz`: both HTTP APIs against what their OpenAPI documents say, by Schemathesis, for long.

The number of seconds is the first argument; the exit status is 1 if anything was found.
"""

import sys
import tempfile
from pathlib import Path

from fuzz.running import ADMIN, PUBLIC, fuzz, served
from support.postgres import SharedPostgres


def main() -> int:
    """Fuzz the admin API for two thirds of the time, the public one for the rest."""
    seconds = int(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        (folder / "postgres").mkdir()
        postgres = SharedPostgres(folder / "postgres")
        try:
            with served(folder / "vendor", postgres.create("licenses")) as target:
                found = [
                    fuzz(target, ADMIN, "--max-time", str(seconds * 2 // 3)),
                    fuzz(target, PUBLIC, "--max-time", str(seconds // 3)),
                ]
        finally:
            postgres.close()
    for result in found:
        sys.stdout.write(result.stdout)
    return int(any(result.returncode for result in found))


if __name__ == "__main__":
    sys.exit(main())
