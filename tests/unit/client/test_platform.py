"""Systems other than the one that the tests run on, as far as that can be seen from here."""

import subprocess
import sys
from pathlib import Path

import pytest

from license_client._platform import default_cache_dir, is_private

# What Windows has not. `sys.platform` is what a program asks there.
OTHER_SYSTEM = """
import os, sys, time, types
for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK", "O_DIRECTORY", "fchmod", "geteuid",
             "register_at_fork"):
    delattr(os, name)
del time.clock_gettime
sys.platform = "win32"
sys.modules["fcntl"] = None
msvcrt = types.ModuleType("msvcrt")
msvcrt.LK_NBLCK, msvcrt.LK_UNLCK, held = 1, 2, set()
def locking(handle, mode, size):
    name = os.readlink(f"/proc/self/fd/{handle}")
    if mode == msvcrt.LK_NBLCK and name in held:
        raise PermissionError(13, "Permission denied")
    (held.add if mode == msvcrt.LK_NBLCK else held.remove)(name)
msvcrt.locking = locking
sys.modules["msvcrt"] = msvcrt
from pathlib import Path
from license_client import LicenseClient
from license_client._clock import Deadline
from license_client._platform import locked
with locked(Path("lock"), Deadline(0)) as first, locked(Path("lock"), Deadline(0)) as second:
    assert (first, second) == (True, False)
with locked(Path("lock"), Deadline(0)) as third:
    assert third
client = LicenseClient(product="demo-product", trust=Path("trust.json"), cache_dir=Path("cache"))
print(client.status().state)
"""


def test_a_system_without_what_unix_has_works_all_the_same(tmp_path: Path, trust: bytes) -> None:
    (tmp_path / "trust.json").write_bytes(trust)
    done = subprocess.run(
        [sys.executable, "-c", OTHER_SYSTEM],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "UNLICENSED\n"), done.stderr


@pytest.mark.parametrize(
    ("platform", "folder"),
    [
        ("linux", "license-data"),
        ("darwin", "~/Library/Application Support/my-app/license-data"),
        ("win32", "~/AppData/Local/my-app/license-data"),
    ],
)
def test_the_cache_is_where_programs_of_the_system_keep_things(platform: str, folder: str) -> None:
    assert default_cache_dir("my-app", platform) == Path(folder).expanduser()


def test_a_file_is_private_when_nobody_else_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch(0o600)
    assert is_private(file)
    file.chmod(0o640)
    assert not is_private(file)
