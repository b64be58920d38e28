"""`make demo`, as its process."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

DEMO = Path(__file__).parents[2] / "deploy" / "demo" / "demo.py"


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """Mark the demo's processes, and see that none of them and no file outlives it."""
    mark = uuid.uuid4().hex
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # as /tmp: PostgreSQL runs as another account when we are root
        yield {**os.environ, "TMPDIR": folder, "MARK": mark}
        assert running_with(mark) == []
        assert list(Path(folder).iterdir()) == []


def running_with(mark: str) -> list[str]:
    """Return the command lines of the processes whose environment holds `mark`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text())
        except OSError:  # ended meanwhile, or not ours
            continue
    return found


def sign_in(told: str) -> None:
    """Sign in to the console with what the demo says of its operator."""
    console = re.search(r"console +(https://127\.0\.0\.1:\d+)\n", told)
    operator = re.search(r"operator +(\w+) / (\S+) / code (\d{6})\n", told)
    assert console, told
    assert operator, told
    name, password, code = operator.groups()
    with httpx.Client(base_url=console[1], verify=False) as browser:
        page = browser.get("/console/sign-in").text
        token = re.search(r'name="csrf" value="(\w+)"', page)
        assert token, page
        form = {"csrf": token[1], "name": name, "password": password, "code": code}
        assert browser.post("/console/sign-in", data=form).headers["location"] == "/console/"


@pytest.mark.timeout(180)
def test_the_demo_runs_a_licensed_query_and_cleans_up(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, DEMO],
        env={**environment, "DEMO_ONCE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "License activated successfully" in done.stdout
    assert "Lukla" in done.stdout
    assert done.stdout.count("curl ") == 3


@pytest.mark.timeout(180)
def test_the_demo_stays_up_until_it_is_interrupted(environment: dict[str, str]) -> None:
    # what a shell starts in the background ignores this signal, and so would the demo
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        [sys.executable, DEMO], env=environment, stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        told = []
        for line in demo.stdout:
            told.append(line)
            if "Ctrl-C" in line:
                break
        sign_in("".join(told))
        assert demo.poll() is None
        demo.send_signal(signal.SIGINT)
        demo.stdout.read()
        assert demo.wait() == 0
