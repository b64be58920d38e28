"""The README's programs are type-checked as a customer's are, against the package as installed."""

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[3] / "license_client" / "README.md"
# What the README leaves to its reader, in the order of its programs.
REQUIRED = """\
from license_client import LicenseClient, require_license
from license_client.asgi import App
TRUST = b"{}"
def make_app() -> App:
    raise NotImplementedError
"""
PRELUDES = (
    "",
    f"{REQUIRED}app, license = make_app(), require_license(product='my-program')\n",
    REQUIRED,
    "import pytest\nimport my_program\nfrom license_client.testing import LicenseVendor\n",
)
MY_PROGRAM = "from license_client import LicenseWatch\ndef main() -> LicenseWatch: ...\n"
OPTIONS = ("--strict", "--allow-redefinition", "--cache-dir=cache", "--no-error-summary")


def programs() -> list[str]:
    """Return the Python of the README, the fixture's argument typed: people leave that out."""
    found = re.findall(r"(?ms)^```python\n(.*?)^```$", README.read_text())
    return [
        block.replace("(license_vendor)", "(license_vendor: LicenseVendor) -> None")
        for block in found
    ]


def test_every_program_of_the_readme_is_one(tmp_path: Path) -> None:
    for number, (prelude, program) in enumerate(zip(PRELUDES, programs(), strict=True)):
        compile(program, f"program {number}", "exec")
        (tmp_path / f"program_{number}.py").write_text(prelude + program)
    (tmp_path / "my_program.pyi").write_text(MY_PROGRAM)
    names = sorted(path.name for path in tmp_path.iterdir())
    command = (sys.executable, "-m", "mypy", *OPTIONS, *names)
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (checked.stdout, checked.stderr) == ("", "")
