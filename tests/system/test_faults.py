"""Faults that need a namespace or a tracer: packets that vanish, disks that take nothing."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import trustme

from support.client_machine import Machine
from support.client_network import serving
from support.faulted_programs import NOBODY, command_of, program, settings_of
from support.faults import on_loopback

CALL_SECONDS = 30.0  # for calls that are answered, on a machine that does other things too
GIVEN_UP_SECONDS = 1.0  # for those that are not
DROPPED = "https://192.0.2.7"  # RFC 5737: a route leads there, and nothing comes back
UNRESOLVED = "https://license.example"  # whom to ask is known, and does not answer

NO_NETWORK = """
ip link set lo up
ip route add 192.0.2.0/24 dev lo
mount --bind "$0" /etc/resolv.conf
exec "$@"
"""
FULL_DISK = """
mount -t tmpfs -o size=16k none "$0"
cp -p "$0.before/"* "$0" 2>/dev/null || true
cat /dev/zero > "$0/all-the-rest" 2>/dev/null || true
exec "$@"
"""
READ_ONLY_DISK = """
mount -t tmpfs none "$0"
cp -p "$0.before/"* "$0" 2>/dev/null || true
mount -o remount,ro "$0"
exec "$@"
"""
DISKS = {"full": FULL_DISK, "read-only": READ_ONLY_DISK}


def without_network(folder: Path) -> Sequence[str]:
    """Run a program where every packet is dropped, those to the resolver too."""
    resolver = folder / "resolv.conf"
    resolver.write_text("nameserver 192.0.2.53\noptions timeout:3 attempts:1\n")
    return ("unshare", "-rmn", "sh", "-euc", NO_NETWORK, str(resolver))


def on_a_disk(script: str, machine: Machine) -> Sequence[str]:
    """Run a program whose cache, and what it holds, is on a disk that `script` makes."""
    if machine.folder.exists():
        shutil.copytree(machine.folder, machine.folder.with_suffix(".before"))
    machine.folder.mkdir(exist_ok=True)
    return ("unshare", "-rm", "sh", "-euc", script, str(machine.folder))


def failing(fault: str) -> Sequence[str]:
    """Run a program with a fault in its system calls."""
    return ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={fault}")


def run(
    machine: Machine, url: str, under: Sequence[str], wait: float = CALL_SECONDS
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command_of(wait, under),
        env=settings_of(machine, url, wait),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("url", [DROPPED, UNRESOLVED], ids=["black hole", "dead resolver"])
def test_a_licensed_program_outlasts_a_network_that_swallows_everything(
    machine: Machine, tmp_path: Path, url: str
) -> None:
    machine.start().activate()
    settings, under = settings_of(machine, url, GIVEN_UP_SECONDS), without_network(tmp_path)
    with program(settings, GIVEN_UP_SECONDS, under) as running:
        assert (running.start["usable"], running.start["loaded"]) == (True, [])
        called = running.tell("validate", url)
        assert (called["error"], called["threads"]) == ("OFFLINE", 0)
        assert running.tell("look")["usable"] is True


@pytest.mark.parametrize("url", [DROPPED, UNRESOLVED], ids=["black hole", "dead resolver"])
def test_such_a_network_licenses_nobody(machine: Machine, tmp_path: Path, url: str) -> None:
    done = run(machine, url, without_network(tmp_path), GIVEN_UP_SECONDS)
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.startswith("license: OFFLINE ")


@pytest.mark.parametrize("disk", DISKS.values(), ids=DISKS)
@pytest.mark.parametrize("cached", [True, False], ids=["cache", "no cache"])
def test_a_program_on_a_disk_that_takes_nothing_runs_on(
    machine: Machine, authority: trustme.CA, disk: str, *, cached: bool
) -> None:
    if cached:
        machine.start().activate()
    with serving(machine.simulator, on_loopback(authority)) as url:
        under = on_a_disk(disk, machine)
        with program(settings_of(machine, url, CALL_SECONDS), CALL_SECONDS, under) as running:
            assert running.start["usable"] is True
            called = running.tell("validate", url)
            assert (called["error"], called["usable"]) == (None, True)
            offline = running.tell("validate", NOBODY)  # by what is on the disk alone
            assert (offline["error"], offline["usable"]) == ("OFFLINE", cached)
            assert offline["code"] != "CACHE_UNREADABLE"
            assert running.tell("look")["usable"] is True


def test_a_disk_that_fails_at_the_first_write_costs_no_license(
    machine: Machine, authority: trustme.CA
) -> None:
    with serving(machine.simulator, on_loopback(authority)) as url:
        done = run(machine, url, failing("fsync,fdatasync:error=EIO"))
    assert done.returncode == 0
    assert "license: The license cache cannot be written" in done.stderr
    assert machine.start().status().code == "UNLICENSED"


@pytest.mark.parametrize("call", ["fsync", "rename,renameat,renameat2"])
def test_a_kill_at_the_first_write_leaves_nothing_that_is_in_the_way(
    machine: Machine, authority: trustme.CA, call: str
) -> None:
    with serving(machine.simulator, on_loopback(authority)) as url:
        killed = run(machine, url, failing(f"{call}:signal=SIGKILL"))
        assert (killed.returncode != 0, killed.stdout) == (True, "")
        assert machine.start().status().code == "UNLICENSED"
        assert run(machine, url, ()).returncode == 0
    assert machine.start().status().usable
    files = {file.name for file in machine.folder.iterdir()}
    assert files == {"license.json", "license.lock", "license.refresh.lock"}
