"""Show that each distribution stands alone.

Builds each wheel, installs it into an empty environment with nothing but its own locked
dependencies and the unit tests' tools, runs its unit tests there, and checks that its siblings
cannot be imported, and that the client is as thin as it promises.
"""

import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).with_name("uv")


@dataclass(frozen=True, slots=True)
class Distribution:
    """One wheel, the folder of its unit tests, and the siblings it brings or must not see.

    Attributes:
        smaller_than: bytes of the wheel.
        requires: all that it needs at run time, where that is promised.
    """

    package: str
    tests: str
    brings: tuple[str, ...] = ()
    smaller_than: int | None = None
    requires: frozenset[str] | None = None

    @property
    def siblings(self) -> tuple[str, ...]:
        """Name the packages that must not be importable beside this one."""
        return tuple({d.package for d in DISTRIBUTIONS} - {self.package, *self.brings})


DISTRIBUTIONS = (
    Distribution(
        "license_client",
        "tests/unit/client",
        smaller_than=100_000,
        requires=frozenset({"cryptography", "httpx"}),
    ),
    Distribution("license_server", "tests/unit/server"),
    Distribution("db_api", "tests/unit/data_api", brings=("license_client",)),
)


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a command and stop at its failure."""
    sys.stderr.write(f"+ {' '.join(str(part) for part in command)}\n")
    subprocess.run([str(part) for part in command], cwd=cwd, check=True)


def build(package: str, wheels: Path) -> Path:
    """Build the wheel of `package` by way of its sdist and return its path."""
    target = wheels / package
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", target, ROOT / package)
    wheel = next(target.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        licenses = [name for name in archive.namelist() if name.endswith("/licenses/LICENSE")]
        if [archive.read(name) for name in licenses] != [(ROOT / "LICENSE").read_bytes()]:
            sys.exit(f"{wheel.name} does not hold the LICENSE of the repository")
    return wheel


def require_thin(distribution: Distribution, wheel: Path) -> None:
    """Stop if a wheel is larger, or needs more, than its README promises."""
    size = wheel.stat().st_size
    sys.stderr.write(f"{wheel.name}: {size} bytes\n")
    if distribution.smaller_than is not None and size >= distribution.smaller_than:
        sys.exit(f"{wheel.name} has {size} bytes, expected less than {distribution.smaller_than}")
    with zipfile.ZipFile(wheel) as archive:
        named = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(named).decode().splitlines()
    needed = frozenset(
        re.split(r"[^a-z0-9-]", line.removeprefix("Requires-Dist: "))[0]
        for line in lines
        if line.startswith("Requires-Dist: ") and "extra ==" not in line
    )
    if distribution.requires is not None and needed != distribution.requires:
        sys.exit(f"{wheel.name} needs {sorted(needed)}, expected {sorted(distribution.requires)}")


def check(distribution: Distribution, wheels: dict[str, Path], environment: Path) -> None:
    """Install `distribution` alone into `environment` and run its unit tests there."""
    require_thin(distribution, wheels[distribution.package])
    python = environment / "bin" / "python"
    run(UV, "venv", "--quiet", "--python", sys.executable, environment)
    install = (UV, "pip", "install", "--quiet", "--python", python)
    for lock in (f"{distribution.package}/requirements.lock", "tests/unit/requirements.lock"):
        run(*install, "--require-hashes", "-r", lock)
    names = (distribution.package, *distribution.brings)
    run(*install, "--no-deps", *(wheels[name] for name in names))
    for sibling in distribution.siblings:
        absent = f"from importlib.util import find_spec; raise SystemExit(find_spec({sibling!r}))"
        run(python, "-I", "-c", absent, cwd=environment)
    # -P: the root folders, which are named as the packages, stay off the import path
    run(python, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", distribution.tests)


def main() -> None:
    """Check every distribution."""
    with tempfile.TemporaryDirectory(prefix="isolation-") as folder:
        scratch = Path(folder)
        wheels = {d.package: build(d.package, scratch / "wheels") for d in DISTRIBUTIONS}
        for distribution in DISTRIBUTIONS:
            check(distribution, wheels, scratch / distribution.package)


if __name__ == "__main__":
    main()
